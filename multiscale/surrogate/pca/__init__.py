"""The paper's surrogate, PCA and a SELU network: training, law."""
