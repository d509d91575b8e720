"""What changes while the operator is watching, as JSON: small enough to be asked for every few seconds."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from mapsi.catalog import Catalog

RUNS = 10


def live_document(catalog: Catalog) -> dict[str, Any]:
    """Jobs, workers and the latest runs. ``version`` changes with anything that the front page shows of them: a page
    with another one is out of date. Times are ISO 8601 with their zone."""
    document: dict[str, Any] = {
        "jobs": [
            {
                "kind": waiting.job.kind,
                "argument": waiting.job.argument,
                "due": waiting.due.isoformat(timespec="seconds"),
                "worker": waiting.worker,
                "failures": waiting.failures,
                "reason": waiting.reason,
            }
            for waiting in catalog.jobs.all()
        ],
        "workers": catalog.jobs.workers(),
        "runs": [{"id": run.id, "shop": run.shop, "state": run.state} for run in catalog.runs.latest(limit=RUNS)],
        "generation": catalog.generation(),
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return {"version": hashlib.sha256(text.encode()).hexdigest()[:16], **document}
