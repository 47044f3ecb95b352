"""What is to come, said once all sources are listed, so that an end can be estimated early."""

from collections.abc import Mapping
from typing import Any

from tools.prepare.archives import archive_kind
from tools.prepare.job import Job
from tools.prepare.listing import Item, Listing

PHASE = "data_prep"
DOWNLOADING = "downloading_policy"
EXTRACTING = "extracting_archives"
PROCESSING = "processing"
SPLITTING = "splitting"


def announce(job: Job, listings: Mapping[str, Listing]) -> None:
    """Say of all four steps what is known of them before the first byte.

    What an archive holds is not known yet, nor is what all records together come to.
    """
    downloads, archives, inputs = [], [], []
    for name in (spec.name for spec in job.manifest.sources if spec.name in listings):
        listing = listings[name]
        packed = [item for item in listing.items if archive_kind(item.path)]
        downloads.append(_told(name, listing.items))
        archives += [_told(name, packed)] if packed else []
        inputs.append({"source": name} if packed else downloads[-1])
    job.run.plan(downloads, sub_phase=DOWNLOADING)
    job.run.plan(archives, sub_phase=EXTRACTING)
    job.run.plan(inputs, sub_phase=PROCESSING)
    job.run.plan([{"source": "records", "files": 1}], sub_phase=SPLITTING)


def _told(name: str, items: tuple[Item, ...] | list[Item]) -> dict[str, Any]:
    sizes = [item.size for item in items if item.size is not None]
    told: dict[str, Any] = {"source": name, "files": len(items)}
    return told | {"bytes": sum(sizes)} if len(sizes) == len(items) else told
