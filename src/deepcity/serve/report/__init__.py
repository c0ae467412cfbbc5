"""The report people look at: one self-contained HTML file made from `Results`."""

from deepcity.serve.report.write import write_report

__all__ = ["write_report"]
