"""Sphinx configuration of the documentation site; ``make docs`` builds it, and a warning is an error."""

from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

from sphinx.util.inspect import TypeAliasForwardRef

project = "multiscale"
author = "the multiscale developers"
release = version = installed_version("multiscale")

extensions = [
    "myst_nb",  # pages in Markdown, and notebooks that the build executes
    "sphinx.ext.autodoc",  # the reference of Python names comes from their docstrings
    "sphinx.ext.napoleon",  # which are in Google style
    "sphinx.ext.mathjax",  # equations
    "cyclopts.ext.sphinx",  # the reference of commands comes from their flags
]
exclude_patterns = ["build"]

# One file draws the equations, fonts included, so that the site needs no network. Where the package that
# brings it is missing, pages load MathJax from its server.
if (mathjax := find_spec("sphinx-mathjax-offline")) is not None and mathjax.origin is not None:
    mathjax_path = "tex-svg.js"
    html_static_path = [str(Path(mathjax.origin).parent / "static" / "mathjax" / mathjax_path)]

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
# Sphinx shows this where an alias is part of a union.
TypeAliasForwardRef.__repr__ = lambda alias: alias.name
autodoc_type_aliases = {"FloatArray": "FloatArray", "ArrayLike": "ArrayLike"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
