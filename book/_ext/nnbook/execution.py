"""Chapters run two at a time, and only when they or what they import changed.

Jupyter Book's cache knows a notebook by its code alone. Here the cache lies in a folder named after the
sources of nnmath and the pinned versions, so that a change there runs every chapter again. A chapter that
fails here is left to MyST-NB, which runs it once more and reports the failure where it happened.
"""

import hashlib
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging

logger = logging.getLogger(__name__)


def fingerprint(root):
    """A digest of all that a chapter's outputs depend on besides its own cells."""
    files = [p for p in (root / "nnmath").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    digest = hashlib.sha256(sys.version.encode())
    for path in [*sorted(files), root / "requirements.txt"]:
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def choose_cache(app, config):
    caches = Path(app.outdir).parent / ".jupyter_cache"
    cache = caches / fingerprint(Path(app.srcdir))
    if caches.is_dir():
        for old in caches.iterdir():
            if old.is_dir() and old != cache:
                shutil.rmtree(old)
    cache.mkdir(parents=True, exist_ok=True)
    config.nb_execution_cache_path = str(cache)


def execute(app, env, docnames):
    """Run the chapters that are not in the cache, several at a time, and put them there."""
    settings = env.mystnb_config
    if settings.execution_mode != "cache":
        return
    cache = get_cache(settings.execution_cache_path)
    waiting = []
    for docname in docnames:
        path = env.doc2path(docname)
        text = Path(path).read_text(encoding="utf8")
        reader = create_nb_reader(path, env.myst_config, settings, text)
        notebook = reader and reader.read(text)
        if not notebook or not any(cell.cell_type == "code" for cell in notebook.cells):
            continue
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            waiting.append((path, notebook))

    def run(job):
        path, notebook = job
        quiet = ["--IPKernelApp.log_level=40"]
        where, limit = str(Path(path).parent), settings.execution_timeout
        return path, single_nb_execution(notebook, where, limit, allow_errors=False, extra_arguments=quiet)

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for path, result in pool.map(run, waiting):
            logger.info("ran %s in %.1f s", path, result.time)
            if result.err is None:
                bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app):
    app.connect("config-inited", choose_cache)
    app.connect("env-before-read-docs", execute)
