internal import CHDF5
package import RRTensor

extension HDF5File {
    package enum ObjectKind: Sendable {
        case dataset
        case group
        case other
    }

    /// Whether there is a link under a path, be what it leads to damaged: opening it then says so.
    package func exists(_ objectPath: String) -> Bool {
        HDF5Library.quietly {
            do throws(FormatError) {
                _ = try open(objectPath)
                return true
            } catch {
                return error.code != .notFound
            }
        }
    }

    /// What kind of object is under a path; nil where none can be opened.
    package func kind(of objectPath: String) -> ObjectKind? {
        try? HDF5Library.quietly { () throws(FormatError) in
            let object = try open(objectPath)
            return switch H5Iget_type(object.id) {
            case H5I_DATASET: .dataset
            case H5I_GROUP: .group
            default: .other
            }
        }
    }

    /// The names in a group, sorted.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `unsupported` or `malformed`.
    package func memberNames(of groupPath: String) throws(FormatError) -> [String] {
        try HDF5Library.quietly { () throws(FormatError) in
            let location = location(of: groupPath)
            let group = try open(groupPath)
            guard H5Iget_type(group.id) == H5I_GROUP else {
                throw FormatError(.malformed, path: location, "this is not a group")
            }
            var info = H5G_info_t()
            try HDF5Library.check(H5Gget_info(group.id, &info), at: location, code: .malformed)
            var names: [String] = []
            for position in 0..<info.nlinks {
                names.append(try memberName(at: position, in: group, location: location))
            }
            return names
        }
    }

    /// The names of the datasets in the file and its groups, `train/x`, also of those that cannot be opened; MATLAB's own,
    /// whose names begin with `#`, are left out.
    ///
    /// - Throws: `FormatError` with the code `malformed` where the root group cannot be read.
    package func datasetNames() throws(FormatError) -> [String] {
        // Hard links can make circles.
        let (deepest, most) = (16, 10_000)
        var found: [String] = []
        var groups: [(path: String, depth: Int)] = [("", 0)]
        while let (group, depth) = groups.popLast(), found.count < most {
            guard let names = depth == 0 ? try memberNames(of: "/") : try? memberNames(of: "/" + group) else {
                continue
            }
            var inner: [(String, Int)] = []
            for name in names where !name.hasPrefix("#") && found.count < most {
                let path = group.isEmpty ? name : group + "/" + name
                switch kind(of: "/" + path) {
                case .group: if depth < deepest { inner.append((path, depth + 1)) }
                case .dataset, nil: found.append(path)
                case .other: break
                }
            }
            groups += inner.reversed()
        }
        return found
    }

    private func memberName(
        at position: hsize_t, in group: borrowing HDF5Handle, location: String
    ) throws(FormatError) -> String {
        func copy(into buffer: UnsafeMutablePointer<CChar>?, size: Int) throws(FormatError) -> Int {
            let length = H5Lget_name_by_idx(
                group.id, ".", H5_INDEX_NAME, H5_ITER_INC, position, buffer, size, rr_h5p_default())
            guard length >= 0 else { throw HDF5Library.failure(.malformed, at: location) }
            return length
        }
        let length = try copy(into: nil, size: 0)
        var name = [CChar](repeating: 0, count: length + 1)
        _ = try copy(into: &name, size: length + 1)
        return String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Opens a dataset.
    ///
    /// - Throws: `FormatError` with the code `notFound`, which lists what is there; `unsupported` for a dataset
    ///   whose elements lie in other files; `malformed` where the object is no dataset or is damaged.
    package func dataset(_ objectPath: String) throws(FormatError) -> HDF5Dataset {
        try HDF5Library.quietly { () throws(FormatError) in
            let location = location(of: objectPath)
            let object = try open(objectPath)
            guard H5Iget_type(object.id) == H5I_DATASET else {
                throw FormatError(.malformed, path: location, "this is not a dataset")
            }
            return try HDF5Dataset(object, of: self, objectPath: objectPath)
        }
    }

    /// Creates a dataset.
    ///
    /// - Parameters:
    ///   - objectPath: a name in a group that exists.
    ///   - shape: its extents; those of `storage`'s chunks, where it has any, are as many, each at least 1.
    /// - Throws: `FormatError` with the code `unsupported` for types that are read only, or `cannotWrite`.
    package func createDataset(
        _ objectPath: String, type: HDF5ElementType, shape: TensorShape, storage: HDF5Storage = .contiguous
    ) throws(FormatError) -> HDF5Dataset {
        try write { () throws(FormatError) in
            let location = location(of: objectPath)
            let storedType = try type.makeStoredType(at: location)
            let extents = shape.dimensions.map { hsize_t($0) }
            let space = try HDF5Handle(
                H5Screate_simple(Int32(extents.count), extents, nil), at: location, code: .cannotWrite)
            let creation = try HDF5Handle(
                H5Pcreate(rr_h5p_dataset_create()), at: location, code: .cannotWrite)
            try HDF5Library.check(
                H5Pset_obj_track_times(creation.id, false), at: location, code: .cannotWrite)
            if case .reserved = storage {
                try HDF5Library.check(
                    H5Pset_alloc_time(creation.id, H5D_ALLOC_TIME_EARLY), at: location, code: .cannotWrite)
                try HDF5Library.check(
                    H5Pset_fill_time(creation.id, H5D_FILL_TIME_NEVER), at: location, code: .cannotWrite)
            }
            if case .chunked(let chunk, let level) = storage {
                try HDF5Library.check(
                    H5Pset_chunk(creation.id, Int32(chunk.count), chunk.map { hsize_t($0) }),
                    at: location, code: .cannotWrite)
                if level > 0 {
                    try HDF5Library.check(
                        H5Pset_deflate(creation.id, UInt32(level)), at: location, code: .cannotWrite)
                }
            }
            let dataset = try HDF5Handle(
                H5Dcreate2(
                    handle.id, objectPath, storedType.id, space.id, rr_h5p_default(), creation.id,
                    rr_h5p_default()),
                at: location, code: .cannotWrite, of: writes)
            return try HDF5Dataset(dataset, of: self, objectPath: objectPath)
        }
    }
}
