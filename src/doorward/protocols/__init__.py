"""How software asks: one room for each protocol, none of which knows another."""
