import RRFormats
import TestSupport

extension MalformedInput {
    /// Three images of (1, 5, 4), called a, b and c.
    static let smallDataset = SourceBytes.hdf5 { try RawFile.dataset() }
    private static let smallMasks = SourceBytes.hdf5 { try RawFile.masks() }

    private static func dataset(
        _ name: String, _ bytes: SourceBytes, _ code: String, finding: String
    ) -> [MalformedInput] {
        [
            MalformedInput(name, "stream x.h5 --batch-size 1 --format null", "x.h5", bytes, 65, code),
            MalformedInput(name, "validate x.h5", "x.h5", bytes, 1, finding),
        ]
    }

    private static func dataset(
        _ name: String, _ code: String, finding: String, _ parts: @escaping @Sendable (RawFile) -> RawFile
    ) -> [MalformedInput] {
        dataset(name, .hdf5 { parts(try RawFile.dataset()) }, code, finding: finding)
    }

    private static func validated(
        _ name: String, _ finding: String, _ parts: @escaping @Sendable (RawFile) -> RawFile
    ) -> [MalformedInput] {
        [MalformedInput(name, "validate x.h5", "x.h5", .hdf5 { parts(try RawFile.dataset()) }, 1, finding)]
    }

    private static func masks(
        _ name: String, _ bytes: SourceBytes, _ code: String, finding: String
    ) -> [MalformedInput] {
        [
            MalformedInput(
                name, "stream d.h5 --masks x.h5 --batch-size 1 --format null",
                ["d.h5": smallDataset, "x.h5": bytes], 65, code),
            MalformedInput(
                name, "validate d.h5 x.h5", ["d.h5": smallDataset, "x.h5": bytes], 1, finding),
        ]
    }

    private static func masks(
        _ name: String, _ code: String, finding: String, _ parts: @escaping @Sendable (RawFile) -> RawFile
    ) -> [MalformedInput] {
        masks(name, .hdf5 { parts(try RawFile.masks()) }, code, finding: finding)
    }

    private static func imported(
        _ name: String, _ fixture: String, _ exit: Int32 = 65, _ code: String, images: String = "/images"
    ) -> [MalformedInput] {
        [
            MalformedInput(
                name, "import hdf5 x.h5 --images \(images) -o out.h5", "x.h5",
                .fixture("formats/hdf5/\(fixture).h5"), exit, code)
        ]
    }

    /// Datasets, mask sets and other HDF5 files.
    static let datasets: [MalformedInput] = Array(
        [
            dataset("empty dataset", .bytes([]), "malformed", finding: "unreadable-file"),
            dataset("dataset that is text", .text("dataset"), "malformed", finding: "unreadable-file"),
            dataset(
                "dataset of its signature alone", smallDataset.cut(to: 8), "malformed",
                finding: "unreadable-file"),
            dataset(
                "dataset that is cut in half", smallDataset.cut(to: 3000), "malformed",
                finding: "unreadable-file"),
            dataset(
                "dataset that lacks its last byte", smallDataset.cut(to: -1), "malformed",
                finding: "unreadable-file"),
            dataset("dataset without images", "missing-object", finding: "schema") {
                $0.setting(array: "/images", to: nil)
            },
            validated("dataset without ids", "schema") { $0.setting(array: "/ids", to: nil) },
            dataset("dataset of another format", "wrong-format", finding: "wrong-format") {
                $0.setting("format", to: .string("someone.else"))
            },
            dataset("dataset of version 9", "unsupported-version", finding: "unsupported-version") {
                $0.setting("format_version", to: .string("9.0"))
            },
            dataset("dataset of flat images", "wrong-shape", finding: "schema") {
                $0.setting(array: "/images", to: .bytes([UInt8](repeating: 0, count: 60), [3, 20]))
            },
            dataset("dataset of too few labels", "wrong-shape", finding: "wrong-count") {
                $0.setting(array: "/labels", to: .integers([0, 1], [2]))
            },
            dataset("dataset of a negative label", "label-out-of-range", finding: "label-out-of-range") {
                $0.setting(array: "/labels", to: .integers([0, -1, 1], [3]))
            },
            dataset("dataset of a label without a class", "label-out-of-range", finding: "label-out-of-range")
            { $0.setting(array: "/labels", to: .integers([0, 1, 99], [3])) },
            dataset("dataset of a label of 2⁶²", "label-out-of-range", finding: "label-out-of-range") {
                $0.setting(array: "/labels", to: .integers([0, 1, 1 << 62], [3]))
            },
            dataset("dataset of a split without a name", "split-out-of-range", finding: "split-out-of-range")
            { $0.setting(array: "/split", to: .bytes([0, 1, 9], [3])) },
            validated("dataset of two equal ids", "duplicate-id") {
                $0.setting(array: "/ids", to: .strings(["a", "a", "c"]))
            },
            dataset("dataset of a wrong checksum", "checksum-mismatch", finding: "checksum-mismatch") {
                $0.setting(array: "/checksum", to: .checksums([1, 2, 3]))
            },

            masks("empty mask set", .bytes([]), "malformed", finding: "unreadable-file"),
            masks("mask set that is cut", smallMasks.cut(to: 2500), "malformed", finding: "unreadable-file"),
            masks(
                "dataset in the place of a mask set", smallDataset, "wrong-format", finding: "wrong-format"),
            masks("mask set without A", "missing-object", finding: "schema") {
                $0.setting(array: "/A", to: nil)
            },
            masks("mask set without rows", "missing-object", finding: "schema") {
                $0.setting(array: "/row", to: nil)
            },
            masks("mask set of another dataset", "other-dataset", finding: "other-dataset") {
                $0.setting("dataset_fingerprint", to: .string(String(repeating: "0", count: 64)))
            },
            masks("mask set of a row that is not there", "row-out-of-range", finding: "row-out-of-range") {
                $0.setting(array: "/row", to: .integers([1, 7, 0], [3]))
            },
            masks("mask set of a negative row", "row-out-of-range", finding: "row-out-of-range") {
                $0.setting(array: "/row", to: .integers([1, -1, 0], [3]))
            },
            masks("mask set of too few rows", "other-dataset", finding: "other-dataset") {
                $0.setting(array: "/row", to: .integers([1, 0], [2]))
            },
            masks("mask set of sevens", "non-binary-mask", finding: "non-binary-mask") {
                $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4], [0: 7, 25: 1]))
            },
            masks("mask set of another size", "wrong-mask-size", finding: "wrong-mask-layout") {
                $0.setting(array: "/A", to: RawFile.masks([3, 1, 4, 5], [0: 1, 25: 1]))
            },
            masks("mask set whose last row is not zero", "last-row-not-zero", finding: "last-row-not-zero") {
                $0.setting(array: "/A", to: RawFile.masks([3, 1, 5, 4], [0: 1, 25: 1, 41: 1]))
            },

            imported("HDF5 that is cut", "truncated", 65, "malformed"),
            imported("HDF5 without the array", "strings", 66, "not-found", images: "/nowhere"),
            imported(
                "HDF5 that states more than it has", "vast", 65, "malformed",
                images: "/contiguous --shape 1x2048x2048"),
            imported(
                "HDF5 whose chunk is damaged", "damaged-chunk", 65, "malformed",
                images: "/deflate --shape 1x16x16"),
        ].joined())
}
