"""What a user can mend is told apart from what only we can."""


class UserError(ValueError):
    """Input or an option is wrong; the message says which, where, and what to do.

    The command line shows it as one line. Every other exception is a fault of this
    package and keeps its traceback.
    """
