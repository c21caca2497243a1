"""The folder of version 0.1: its modules are in :mod:`multiscale.run` and :mod:`multiscale.results` now."""

from microscale.moved import moved

moved(
    {
        "multiscale.io.checkpoint": "multiscale.run.checkpoint",
        "multiscale.io.command": "multiscale.run.command",
        "multiscale.io.control": "multiscale.run.control",
        "multiscale.io.ledger": "multiscale.results.ledger",
        "multiscale.io.pictures": "multiscale.results.pictures",
        "multiscale.io.provenance": "multiscale.results.provenance",
        "multiscale.io.recording": "multiscale.run.recording",
        "multiscale.io.result_reading": "multiscale.results.reading",
        "multiscale.io.results": "multiscale.results.field_writer",
        "multiscale.io.run_folder": "multiscale.results.run_folder",
        "multiscale.io.section": "multiscale.results.axial_section",
        "multiscale.io.shape": "multiscale.results.dimensions",
        "multiscale.io.vtkhdf": "multiscale.results.vtkhdf",
    }
)
