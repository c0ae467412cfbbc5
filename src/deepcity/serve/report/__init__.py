"""The report people look at: one self-contained HTML file made from what a run found out."""

from deepcity.serve.report.write import write_meetings, write_report

__all__ = ["write_meetings", "write_report"]
