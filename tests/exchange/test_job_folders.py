"""Of ended jobs the newest logs stay, and nothing but jobs is ever removed."""

import os
from uuid import UUID

from deepcity.exchange.flare.job_folders import KEPT_JOBS, remove_old_jobs

HOUR_S = 3600.0


def job(kit, number, *, hours):
    folder = kit / str(UUID(int=number))
    (folder / "app" / "config").mkdir(parents=True)
    for path in (folder / "log.txt", folder / "app" / "config" / "fed.json"):
        path.write_text("x")
    for path in (folder / "log.txt", folder):
        os.utime(path, (hours * HOUR_S, hours * HOUR_S))
    return folder


def test_the_newest_jobs_and_all_else_stay(tmp_path):
    for name in ("startup", "local", "run", "jobs"):
        (tmp_path / name).mkdir()
    (tmp_path / "log.txt").write_text("x")
    jobs = [job(tmp_path, number, hours=number) for number in range(1, KEPT_JOBS + 4)]
    assert sorted(remove_old_jobs(tmp_path)) == jobs[:3]
    assert not any(one.exists() for one in jobs[:3])
    assert all((one / "log.txt").exists() for one in jobs[3:])
    assert len([*tmp_path.iterdir()]) == KEPT_JOBS + 5
    assert remove_old_jobs(tmp_path) == []


def test_a_job_that_still_writes_is_not_removed_however_long_ago_it_began(tmp_path):
    running = job(tmp_path, 99, hours=1)
    os.utime(running / "log.txt", (1000 * HOUR_S, 1000 * HOUR_S))
    for number in range(1, 20):
        job(tmp_path, number, hours=100 + number)
    remove_old_jobs(tmp_path)
    assert running.exists()
