"""The report people look at: one self-contained HTML file made from what a run found out."""

from deepcity.web.report.write import write_report, write_vertical_report

__all__ = ["write_report", "write_vertical_report"]
