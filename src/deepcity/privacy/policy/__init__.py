"""Policy: whether a release is allowed, by Cedar; anything but Allow is deny.

A city's grants are data (`ReleaseGrant`). Each becomes one Cedar `permit` (`cedar_text`); the
city's own rules beside them can only forbid. `Policy.decide` answers a `ReleaseRequest`. The
structural bounds (`deepcity.privacy.grants`, `deepcity.privacy.deep_grant`) hold as before: a
policy is asked in addition and never widens them.

Cedar: Cutler et al., "Cedar: A New Language for Expressive, Fast, Safe, and Analyzable
Authorization", OOPSLA 2024; in Python by `cedarpy`.
"""
