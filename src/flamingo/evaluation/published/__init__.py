"""The protocols by which OpenFlamingo's and IDEFICS' authors measured their models."""
