"""Sphinx configuration of the documentation site; ``make docs`` builds it, and a warning is an error."""

from importlib.metadata import version as installed_version

project = "multiscale"
author = "the multiscale developers"
release = version = installed_version("multiscale")

extensions = [
    "myst_nb",  # pages in Markdown, and notebooks that the build executes
    "sphinx.ext.autodoc",  # the reference of Python names comes from their docstrings
    "sphinx.ext.napoleon",  # which are in Google style
    "sphinx.ext.mathjax",
    "cyclopts.ext.sphinx",  # the reference of commands comes from their flags
]
exclude_patterns = ["build"]
suppress_warnings = ["toc.empty_glob"]  # lists of pages end in a glob, for pages to come

html_theme = "furo"
html_title = "multiscale"
html_show_copyright = False

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_type_aliases = {"FloatArray": "FloatArray", "ArrayLike": "ArrayLike"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
