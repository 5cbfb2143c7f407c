"""What is served: the page, `POST /translate`, `GET /health`."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from s2st_interleave import __version__
from s2st_interleave.pack.clips import Bounds
from s2st_interleave.serve.guard import Guard
from s2st_interleave.serve.limits import Limits, Refusal, Uploads, stopping
from s2st_interleave.serve.models import Model
from s2st_interleave.serve.worker import FAULT, Job, Worker

STATIC = Path(__file__).parent / "static"
PAGES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}
CLIENT_LEFT = 499  # nobody reads it


def make(
    models: Sequence[Model],
    worker: Worker,
    limits: Limits,
    hosts: Collection[str] = (),
) -> Guard:
    """The application: models that `worker` asks, their limits, and names of this server."""
    uploads = Uploads(limits)
    bounds = models[0].translator.bounds

    async def translate(request: Request) -> Response:
        with_source = _flag(request, "source")
        _check_form(request)
        worker.check_room()
        try:
            async with uploads.body(request) as body:
                job = Job(body, with_source)
                worker.submit(job)
                content = await _answer(request, job, limits.answer_sec)
        except asyncio.CancelledError:  # by uvicorn, some time after it was told to end
            raise stopping() from None
        return Response(content, media_type="application/json")

    async def health(request: Request) -> Response:
        return JSONResponse(
            {
                "status": "stopping" if worker.is_stopped else "ok",
                "version": __version__,
                "models": [model.facts for model in models],
                "num_waiting": worker.num_waiting,
                "limits": _limits(limits, bounds),
            }
        )

    pages = [Route(path, _page(name)) for path, name in PAGES.items()]
    routed = Starlette(
        routes=[
            *pages,
            Route("/translate", translate, methods=["POST"]),
            Route("/health", health),
        ],
        exception_handlers={
            Refusal: _refused,
            HTTPException: _no_such_page,
            ClientDisconnect: _nobody_listens,
            Exception: _fault,
        },
    )
    return Guard(routed, hosts)  # outermost: responses to faults get its headers too


def _page(name: str) -> Any:
    async def page(request: Request) -> Response:
        return FileResponse(STATIC / name)

    return page


def _limits(limits: Limits, bounds: Bounds) -> dict[str, Any]:
    sizes = {"max_bytes": limits.max_bytes, "queue": limits.queue}
    return sizes | {"min_sec": bounds.min_sec, "max_sec": bounds.max_sec}


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise Refusal(422, "option", f"'{name}' is true or false.")
    return text == "true"


def _check_form(request: Request) -> None:
    if request.headers.get("content-type", "").startswith("multipart/"):
        sentence = (
            "Send the bytes of the file alone, as curl --data-binary @in.wav does."
        )
        raise Refusal(415, "form", sentence)


async def _answer(request: Request, job: Job, seconds: float) -> bytes:
    """The JSON of a job that is in the queue, if it comes in so many seconds.

    A client that leaves takes its job out of the queue.
    """
    answer = asyncio.wrap_future(job.future)
    gone = asyncio.ensure_future(request.receive())  # the body is there: it is the end
    try:
        await asyncio.wait(
            {answer, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if answer.done():
            return answer.result()
        if gone.done():
            raise ClientDisconnect
        sentence = f"No answer within {seconds:g} s: please try again later."
        raise Refusal(503, "late", sentence)
    finally:
        gone.cancel()
        answer.cancel()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    content = {"error": str(error), "kind": error.kind}
    return JSONResponse(content, status_code=error.status, headers=error.headers)


async def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = {
        404: "There is no such page: see / and /health.",
        405: "This address takes another method: POST /translate, GET /health.",
    }.get(error.status_code, f"{error.detail}.")
    content = {"error": sentence, "kind": "request"}
    return JSONResponse(content, status_code=error.status_code, headers=error.headers)


async def _nobody_listens(request: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)


async def _fault(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": FAULT, "kind": "fault"}, status_code=500)
