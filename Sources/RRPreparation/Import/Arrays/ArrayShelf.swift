internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The files of an import, open.
struct ArrayShelf {
    private let format: ArrayFile.Format
    private let files: [ArrayFile]
    private let trustsLinks: Bool

    init(_ arrays: ArrayImport) throws {
        format =
            switch arrays.format {
            case .hdf5: .hdf5
            case .npy: .npy
            case .npz: .npz
            case .idx: .idx
            }
        let format = format
        trustsLinks = arrays.options.trustsLinks
        files = try arrays.files.map { path in
            try ArrayFile(path: path, format: format, trustingLinks: arrays.options.trustsLinks)
        }
    }

    /// The names of the arrays in the files, in groups of HDF5 too.
    func names() throws -> [String] { try files.flatMap { try $0.arrayNames() } }

    func areFromMATLAB(_ names: [String]) -> Bool {
        !files.isEmpty && files.allSatisfy { file in names.allSatisfy { file.isFromMATLAB($0) } }
    }

    /// The arrays of some names: of each file those of all names, or each name's file.
    ///
    /// A name that is in none of the files may say a file of its own: `labels.h5:/y`.
    ///
    /// - Parameters:
    ///   - layout: where samples are along the last dimension, it is brought to the front.
    ///   - areRows: whether each image is a row, or with the samples last a column.
    func arrays(
        _ names: [String], layout: ArrayLayout? = nil, areRows: Bool = false
    ) throws -> [any ArraySource] {
        let arrays = try arraysAsStored(names)
        guard let layout, !layout.isSampleFirst else { return arrays }
        return try arrays.map { array in
            if !areRows || array.shape.rank != 2 {
                try ArrayArrangement.check(layout, of: array.shape, option: .layout, at: array.location)
            }
            return try SampleFirstArray(array)
        }
    }

    private func arraysAsStored(_ names: [String]) throws -> [any ArraySource] {
        guard !files.isEmpty else {
            return try names.map { name in
                if case .elsewhere(let path, let inner?) = ArrayReference(name, isHeld: { _ in false }) {
                    return try ArrayFile(path: path, trustingLinks: trustsLinks).array(inner)
                }
                return try ArrayFile(path: name, format: format).array(nil)
            }
        }
        let references = names.map { name in
            ArrayReference(name) { name in files.contains { $0.holds(name) } }
        }
        let areElsewhere = references.contains { if case .elsewhere = $0 { true } else { false } }
        guard
            !areElsewhere || files.count == 1
                || references.allSatisfy({
                    if case .elsewhere = $0 { true } else { false }
                })
        else {
            throw DatasetError(
                .invalidOption, path: "",
                "arrays of several files and arrays of files of their own cannot follow one another: "
                    + names.joined(separator: ", "))
        }
        guard areElsewhere else { return try files.flatMap { file in try names.map { try file.array($0) } } }
        return try references.map { reference in
            switch reference {
            case .inside(let name): try files[0].array(name)
            case .elsewhere(let path, let name):
                try ArrayFile(path: path, trustingLinks: trustsLinks).array(name)
            }
        }
    }

    /// The arrays of some names as one; nil where none is named.
    func joined(_ names: [String]) throws -> (any ArraySource)? {
        names.isEmpty ? nil : try JoinedArray.join(arrays(names))
    }

    func joined(_ name: String?) throws -> (any ArraySource)? { try joined(name.map { [$0] } ?? []) }

    /// The arrays of the files that are not among those of some names.
    ///
    /// Names are compared as HDF5 has them: `/a/x` is `a/x`.
    func untaken(besides names: [String]) throws -> [String] {
        func plain(_ name: String) -> String {
            let inner = name.split(separator: "/").joined(separator: "/")
            return format == .npz && inner.hasSuffix(".npy") ? String(inner.dropLast(4)) : inner
        }
        let taken = Set(names.map(plain))
        return try files.flatMap { file in
            try file.arrayNames().filter { !taken.contains(plain($0)) }
                .map { files.count == 1 ? $0 : "\(ArrayReference.withoutFolders(file.path)):\($0)" }
        }
    }
}
