"""Charts as inline SVG, one file a kind; colours and fonts come from the page's style sheet."""
