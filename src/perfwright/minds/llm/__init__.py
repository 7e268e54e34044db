"""Language models in the roles.  Imported only when a mind asks for one: see `optional`."""
