"""What a person reads: tables, and files written whole or not at all."""
