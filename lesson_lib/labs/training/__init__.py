"""The trigger lab and the bias lab, which train the same net."""
