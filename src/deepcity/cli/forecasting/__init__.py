"""Verbs that give what a finished run forecasts: forecast, backtest, export."""
