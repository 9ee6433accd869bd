"""The report as one page for people: `render` makes it of the report's document, with charts and for three audiences."""
