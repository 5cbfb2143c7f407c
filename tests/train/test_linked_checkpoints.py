"""A checkpoint may lie on a larger disk, with a link in its place."""

import pytest

from s2st_interleave.files import write_json
from s2st_interleave.train import checkpoint


@pytest.mark.parametrize("left", [False, True])
def test_a_training_died_when_a_checkpoint_that_is_a_link_was_due(tmp_path, left):
    disk = tmp_path / "disk"
    write_json(disk / "meta.json", {"step": 2})
    link = checkpoint.path(tmp_path / "exp", 2)
    link.parent.mkdir()
    link.symlink_to(disk)
    if left:  # as versions did that failed
        link.rename(checkpoint._temporary(link))
        checkpoint._remove_left(link.parent)
    else:
        assert checkpoint.by_step(link.parent) == {2: link}
        checkpoint._remove(link)
    assert list(link.parent.iterdir()) == [] and (disk / "meta.json").is_file()
