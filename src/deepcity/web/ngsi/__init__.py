"""Reading by NGSI-LD (ETSI GS CIM 009 v1.9.1): a running city's entities, for other systems."""
