"""What a run is of, as data: case files, the impacts of the paper that make one, sweeps over them."""
