"""Trees and proofs against the vectors published with RFC 6962, and against another implementation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion

from ledger import merkle
from ledger.verify_receipt import EMPTY_ROOT, GrowingTree, Refused, check_consistency, climb, leaf_hash

# the entries and roots of Certificate Transparency's reference tests
ENTRIES = [
    bytes.fromhex(each)
    for each in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
CONSISTENCY: dict[tuple[int, int], tuple[str, ...]] = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (2, 8): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}


def reader(entries: list[bytes]) -> merkle.Reader:
    leaves = [leaf_hash(each) for each in entries]
    return lambda node: merkle.hash_of(leaves[node[1] << node[0] : (node[1] + 1) << node[0]])


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_published(size: int) -> None:
    tree = GrowingTree()
    for entry in ENTRIES[:size]:
        tree.add(leaf_hash(entry))
    in_one_go = merkle.hash_of([leaf_hash(each) for each in ENTRIES[:size]])
    assert [merkle.root(size, reader(ENTRIES)), tree.root(), in_one_go] == [ROOTS[size]] * 3


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_published(index: int, size: int) -> None:
    path = merkle.inclusion_path(index, size, reader(ENTRIES))
    assert tuple(each.hex() for each in path) == INCLUSION[index, size]
    assert climb(leaf_hash(ENTRIES[index]), index, size, path) == ROOTS[size]


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_consistency_proofs_are_those_published(old: int, size: int) -> None:
    path = merkle.consistency_path(old, size, reader(ENTRIES))
    assert tuple(each.hex() for each in path) == CONSISTENCY[old, size]
    check_consistency(old, ROOTS[old], size, ROOTS[size], path)
    # as the probes of the reference implementations: nothing, one too many, one too few, roots swapped
    for bad in ([], [*path, ROOTS[1]], path[:-1], [ROOTS[1], *path]):
        if bad != path:
            with pytest.raises(Refused):
                check_consistency(old, ROOTS[old], size, ROOTS[size], bad)
    if old < size:
        with pytest.raises(Refused):
            check_consistency(old, ROOTS[size], size, ROOTS[old], path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_roots_and_proofs_agree_with_another_implementation(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    entries = [number.to_bytes(2, "big") for number in range(size)]
    theirs, read = InmemoryTree(algorithm="sha256"), reader(entries)
    theirs.append_entries(entries)
    root, old_root = merkle.root(size, read), merkle.root(old, read)
    assert (root, old_root) == (theirs.get_root(size), theirs.get_root(old))

    # ours is accepted by their verifier's arithmetic, and theirs by ours
    inclusion, consistency = theirs.prove_inclusion(index + 1), theirs.prove_consistency(old, size)
    verify_inclusion(leaf_hash(entries[index]), root, inclusion)
    verify_consistency(old_root, root, consistency)
    path = merkle.inclusion_path(index, size, read)
    assert [leaf_hash(entries[index]), *path] == inclusion.path
    assert climb(leaf_hash(entries[index]), index, size, path) == root
    check_consistency(old, old_root, size, root, merkle.consistency_path(old, size, read))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_proof_with_anything_changed_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    read = reader([bytes([number]) for number in range(size)])
    root, path = merkle.root(size, read), merkle.inclusion_path(index, size, read)
    bent = data.draw(st.sampled_from(list(_bent(path))))
    with pytest.raises(Refused):
        if climb(leaf_hash(bytes([index])), index, size, bent) != root:
            raise Refused("another root")
    old = data.draw(st.integers(1, size - 1))
    old_root, path = merkle.root(old, read), merkle.consistency_path(old, size, read)
    with pytest.raises(Refused):
        check_consistency(old, old_root, size, root, data.draw(st.sampled_from(list(_bent(path)))))
    with pytest.raises(Refused):
        check_consistency(old, EMPTY_ROOT, size, root, path)


def _bent(path: list[bytes]) -> list[list[bytes]]:
    flipped = [[*path[:at], bytes(31) + b"\1", *path[at + 1 :]] for at in range(len(path))]
    cut = [path[:-1]] if path else []
    return [*flipped, *cut, [*path, bytes(32)]]


def test_every_index_of_every_small_tree_has_a_proof_that_fits_no_other_index() -> None:
    for size in range(1, 34):
        read = reader([bytes([number]) for number in range(size)])
        root = merkle.root(size, read)
        for index in range(size):
            path = merkle.inclusion_path(index, size, read)
            leaf = leaf_hash(bytes([index]))
            fitting = [other for other in range(size) if _leads_to(root, leaf, other, size, path)]
            assert fitting == [index]


def _leads_to(root: bytes, leaf: bytes, index: int, size: int, path: list[bytes]) -> bool:
    try:
        return climb(leaf, index, size, path) == root
    except Refused:
        return False


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        merkle.inclusion_path(index, size, reader(ENTRIES))
    with pytest.raises(Refused, match="outside"):
        climb(bytes(32), index, size, [])


def test_a_smaller_tree_continues_no_larger_one() -> None:
    with pytest.raises(ValueError, match="cannot continue"):
        merkle.consistency_path(4, 3, reader(ENTRIES))
    with pytest.raises(Refused, match="cannot continue"):
        check_consistency(4, ROOTS[4], 3, ROOTS[3], [])
    check_consistency(0, EMPTY_ROOT, 3, ROOTS[3], [])
    check_consistency(3, ROOTS[3], 3, ROOTS[3], [])
    for old, root in ((0, ROOTS[1]), (3, ROOTS[4])):
        with pytest.raises(Refused):
            check_consistency(old, root, 3, ROOTS[3], [])
