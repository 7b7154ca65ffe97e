"""What watches over the books: sealing the public log, and the proofs that people take away."""
