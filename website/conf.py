"""How Sphinx makes the site: nothing that is asked of a network, nothing that changes without the pages."""

project = html_title = "interpflow"
extensions = ["myst_parser"]
myst_heading_anchors = 4
smartquotes = False
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = html_show_sphinx = html_show_copyright = html_use_index = False
