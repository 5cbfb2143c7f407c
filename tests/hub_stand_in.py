"""A small stand-in of the Hugging Face hub's HTTP API, on loopback and in memory.

It knows models: create, branches, preupload, LFS objects, commits, trees and files, and asks
for a token where the hub does. It has no Xet storage.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import huggingface_hub

from s2st_interleave import hub as our_hub

TOKEN = "hf_stand_in"
MAIN = "main"


@dataclass
class Repo:
    name: str
    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        key = json.dumps([len(self.commits), branch, sorted(files)])
        sha = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
        self.commits[sha], self.branches[branch] = files, sha
        return sha


@dataclass
class Hub:
    endpoint: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # method and path of each request


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(monkeypatch: Any, endpoint: str, cache: Path) -> None:
    """Let the library talk to a hub at `endpoint`, with a cache of its own."""
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = f"{endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(our_hub, "TIMEOUT_SEC", 2.0)


REPO = r"(?P<repo>[^/]+/[^/]+)"
ROUTES = [
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate"),
    ("POST", rf"/api/models/{REPO}/branch/(?P<branch>.+)", "branch"),
    ("POST", rf"/api/models/{REPO}/preupload/(?P<branch>.+)", "preupload"),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", "lfs"),
    ("PUT", r"/lfs/(?P<oid>\w+)", "store"),
    ("POST", rf"/api/models/{REPO}/commit/(?P<branch>.+)", "commit"),
    ("GET", rf"/api/models/{REPO}/tree/(?P<revision>[^/]+)", "tree"),
    ("GET", rf"/api/models/{REPO}/revision/(?P<revision>.+)", "info"),
    ("GET", rf"/api/models/{REPO}", "info"),
    ("GET", rf"/{REPO}/resolve/(?P<revision>[^/]+)/(?P<name>.+)", "file"),
    ("HEAD", rf"/{REPO}/resolve/(?P<revision>[^/]+)/(?P<name>.+)", "file"),
]
OPEN = {"tree", "info", "file", "store"}  # what needs no token


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        self.content = self._content()
        for method, pattern, name in ROUTES:
            found = re.fullmatch(pattern, path)
            if method != self.command or not found:
                continue
            parts = found.groupdict()
            name_of_repo = parts.pop("repo", None)
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            repo = self.hub.repos.get(name_of_repo or "")
            if not known and (name not in OPEN or (repo and repo.private)):
                return self.error(401, "RepoNotFound", "Invalid username or password.")
            if name_of_repo and repo is None:
                return self.error(404, "RepoNotFound", "Repository not found")
            return getattr(self, name)(repo, **parts)
        self.error(404, "", f"no route {self.command} {path}")

    do_GET = do_POST = do_PUT = do_HEAD = handle_any

    def log_message(self, *_: Any) -> None:
        pass

    def _content(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def send(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def json(self, value: Any) -> None:
        self.send(json.dumps(value).encode(), Content_Type="application/json")

    def error(self, status: int, code: str, message: str) -> None:
        content = json.dumps({"error": message}).encode()
        self.send(content, status, X_Error_Code=code, X_Error_Message=message)

    def create(self, _: None) -> None:
        asked = json.loads(self.content)
        name = f"{asked['organization']}/{asked['name']}"
        if name not in self.hub.repos:
            self.hub.repos[name] = Repo(name, asked.get("visibility") == "private")
            self.hub.repos[name].commit(MAIN, {".gitattributes": b"*.safetensors lfs"})
        self.json({"url": f"{self.hub.endpoint}/{name}", "name": name, "id": name})

    def validate(self, _: None) -> None:
        assert json.loads(self.content)["content"].startswith("---\n")
        self.json({"errors": [], "warnings": []})

    def branch(self, repo: Repo, branch: str) -> None:
        repo.branches.setdefault(branch, repo.branches[MAIN])
        self.json({})

    def preupload(self, repo: Repo, branch: str) -> None:
        files = [
            {
                "path": file["path"],
                "shouldIgnore": False,
                "uploadMode": "lfs"
                if file["path"].endswith(".safetensors")
                else "regular",
            }
            for file in json.loads(self.content)["files"]
        ]
        self.json({"files": files})

    def lfs(self, repo: Repo) -> None:
        objects = [
            {**each, "actions": {"upload": {"href": self._href(each["oid"])}}}
            for each in json.loads(self.content)["objects"]
        ]
        self.json({"transfer": "basic", "objects": objects})

    def _href(self, oid: str) -> str:
        return f"{self.hub.endpoint}/lfs/{oid}"

    def store(self, _: None, oid: str) -> None:
        assert hashlib.sha256(self.content).hexdigest() == oid
        self.hub.objects[oid] = self.content
        self.send(b"", ETag=oid)

    def commit(self, repo: Repo, branch: str) -> None:
        files = dict(repo.commits[repo.branches[branch]])
        for line in self.content.splitlines():
            key, value = json.loads(line).values()
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        sha = repo.commit(branch, files)
        url = f"{self.hub.endpoint}/{repo.name}/commit/{sha}"
        self.json({"success": True, "commitOid": sha, "commitUrl": url})

    def _sha(self, repo: Repo, revision: str) -> str | None:
        if revision in repo.commits:
            return revision
        return repo.branches.get(revision)

    def info(self, repo: Repo, revision: str = MAIN) -> None:
        sha = self._sha(repo, revision)
        if sha is None:
            return self.error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        self.json(
            {"id": repo.name, "sha": sha, "private": repo.private, "siblings": []}
        )

    def tree(self, repo: Repo, revision: str) -> None:
        files = repo.commits[self._sha(repo, revision) or ""]
        self.json(
            [
                {
                    "type": "file",
                    "path": name,
                    "size": len(content),
                    "oid": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
                }
                for name, content in files.items()
            ]
        )

    def file(self, repo: Repo, revision: str, name: str) -> None:
        sha = self._sha(repo, revision) or ""
        content = repo.commits[sha][name]
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        self.send(content, ETag=tag, X_Repo_Commit=sha)
