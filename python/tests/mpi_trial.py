"""Asks a rank of MPI for anything at all, to tell whether there are any."""

from mpi4py.futures import MPIPoolExecutor

if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        assert list(executor.map(abs, [-1, -2])) == [1, 2]
