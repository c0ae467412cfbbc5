"""A site's audits in its own folder: written after each step, so that a stopped audit goes on.

FOLDER/audit.json       codes and numbers; no record, window or reconstruction
"""

from pathlib import Path

from deepcity.audit.results import PartyAudit, SiteAudits
from deepcity.city.regular_file import read_regular
from deepcity.store.run_folder import write_file

NAME = "audit.json"
VERSION = 2
"""Incremented when the same attacks give other figures."""


def read_audits(site_folder: Path, site: str) -> SiteAudits:
    """The audits of a site; none where there is no file, or one of another version.

    An audit can be made again, so a file that cannot be read is no error.
    """
    try:
        found = SiteAudits.model_validate_json(read_regular(site_folder / NAME))
    except (OSError, ValueError):
        return SiteAudits(site=site)
    kept = tuple(one for one in found.audits if one.version == VERSION)
    return found.model_copy(update={"audits": kept})


def audits_of_run(folder: Path) -> list[PartyAudit]:
    """Every audit in the folder of a run, or of a site, by site and service."""
    sites = sorted(folder.glob(f"sites/*/{NAME}")) or sorted(folder.glob(NAME))
    return [one for path in sites for one in read_audits(path.parent, path.parent.name).audits]


def begun_audit(audits: SiteAudits, wanted: PartyAudit) -> PartyAudit:
    """What is kept of this very audit (same model, effort and seed); else the one given."""
    for one in audits.audits:
        if _key(one) == _key(wanted):
            return one
    return wanted


def save_audit(site_folder: Path, site: str, audit: PartyAudit) -> None:
    """Write an audit in place of the one of the same service and layers before it.

    Raises:
        CheckpointError: if it cannot be written; the former file is kept.
    """
    kept = read_audits(site_folder, site).audits
    others = tuple(one for one in kept if _place(one) != _place(audit))
    found = SiteAudits(site=site, audits=(*others, audit))
    write_file(site_folder / NAME, found.model_dump_json(indent=1).encode())


def _key(audit: PartyAudit) -> tuple[object, ...]:
    return audit.version, audit.subject, audit.effort, audit.seed


def _place(audit: PartyAudit) -> tuple[object, ...]:
    """An encoder and a network of one party and service are audited beside each other."""
    subject = audit.subject
    return subject.service, subject.party, subject.deep_width is None
