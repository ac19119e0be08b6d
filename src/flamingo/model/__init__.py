"""Vision encoder, Perceiver Resampler and GATED XATTN-DENSE layers around a frozen LM."""
