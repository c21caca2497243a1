"""Constants of laws, and parameters of crystals, fitted to measured curves of stress and strain."""
