"""deepcity: cities and their agencies learn together by sharing hidden layers."""

__version__ = "0.1.0"
