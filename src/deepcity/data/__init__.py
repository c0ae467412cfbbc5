"""Deep Data Layer: raw records become panels, panels become windows."""
