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
        if let reader {
            let answer = try? reader.ask(.exists(objectPath)) { answer throws(HDF5BrokenRecord) in
                try answer.flag()
            }
            return answer ?? true
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        do throws(FormatError) {
            _ = try open(objectPath)
            return true
        } catch {
            return error.code != .notFound
        }
    }

    /// What kind of object is under a path; nil where none can be opened.
    package func kind(of objectPath: String) -> ObjectKind? {
        if let reader {
            let answer = try? reader.ask(.kind(objectPath)) { answer throws(HDF5BrokenRecord) in
                try answer.optional { answer throws(HDF5BrokenRecord) in try answer.objectKind() }
            }
            return answer.flatMap(\.self)
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        do throws(FormatError) {
            return Self.kind(of: try open(objectPath))
        } catch {
            return nil
        }
    }

    /// The names in a group, sorted.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `unsupported` or `malformed`.
    package func memberNames(of groupPath: String) throws(FormatError) -> [String] {
        if let reader {
            return try reader.ask(.memberNames(groupPath)) { answer throws(HDF5BrokenRecord) in
                try answer.list { answer throws(HDF5BrokenRecord) in try answer.text() }
            }
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        let location = location(of: groupPath)
        let group = try open(groupPath)
        guard H5Iget_type(group.id) == H5I_GROUP else {
            throw FormatError(.malformed, path: location, "this is not a group")
        }
        return try names(in: group, location: location)
    }

    /// The names in a group, in one pass: the place of each in the group's tree is found anew by a call for each.
    private func names(
        in group: borrowing HDF5Handle, location: String
    ) throws(FormatError) -> [String] {
        final class Names { var list: [String] = [] }
        let names = Names()
        let status = H5Literate(
            group.id, H5_INDEX_NAME, H5_ITER_INC, nil,
            { _, name, _, context in
                guard let name, let context else { return -1 }
                Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().list.append(String(cString: name))
                return 0
            }, Unmanaged.passUnretained(names).toOpaque())
        try HDF5Library.check(status, at: location, code: .malformed)
        return names.list
    }

    /// An object that was found in the file's groups.
    package struct Object: Sendable {
        /// Its name with those of the groups around it: `train/x`.
        package let path: String
        /// Nil where it cannot be opened.
        package let kind: ObjectKind?
    }

    /// The most datasets that are told of a file, the most objects that are looked at for them, and the most groups within
    /// each other.
    private static let (mostDatasets, mostObjects, deepest) = (10_000, 50_000, 16)

    /// The objects in the file and its groups, those of a group before those of the groups in it.
    ///
    /// Past 10,000 datasets nothing is told; a group that holds itself is not told again within itself.
    ///
    /// - Parameter skipsHidden: whether names that begin with `#`, which are MATLAB's own, are left out.
    /// - Throws: `FormatError` with the code `malformed` where the root group cannot be read.
    package func objects(skipsHidden: Bool = false) throws(FormatError) -> [Object] {
        if let reader {
            return try reader.ask(.objects(skipsHidden: skipsHidden)) { answer throws(HDF5BrokenRecord) in
                try answer.list { answer throws(HDF5BrokenRecord) in
                    Object(
                        path: try answer.text(),
                        kind: try answer.optional { answer throws(HDF5BrokenRecord) in try answer.objectKind()
                        })
                }
            }
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        var found: [Object] = []
        var datasetCount = 0
        var groups: [(path: String, above: [UInt64])] = [("", [])]
        while let (path, above) = groups.popLast(), found.count < Self.mostObjects {
            // Of the root group alone a failure is the file's.
            guard
                let (names, address) = above.isEmpty
                    ? try members(of: path, above: above) : try? members(of: path, above: above)
            else { continue }
            var inner: [(String, [UInt64])] = []
            for name in names
            where !(skipsHidden && name.hasPrefix("#")) && datasetCount < Self.mostDatasets {
                let path = path.isEmpty ? name : path + "/" + name
                let kind = kind(of: "/" + path)
                found.append(Object(path: path, kind: kind))
                switch kind {
                case .group: if above.count < Self.deepest { inner.append((path, above + [address])) }
                case .dataset, nil: datasetCount += 1
                case .other: break
                }
            }
            groups += inner.reversed()
        }
        return found
    }

    /// The names in a group and where the group is; none where it is one of the groups around itself, as hard links can
    /// have it.
    private func members(
        of path: String, above: [UInt64]
    ) throws(FormatError) -> (names: [String], address: UInt64) {
        let group = try open("/" + path)
        let address = address(of: group)
        if let address, above.contains(address) { return ([], address) }
        return (try names(in: group, location: location(of: "/" + path)), address ?? 0)
    }

    private func address(of object: borrowing HDF5Handle) -> UInt64? {
        var address: UInt64 = 0
        return rr_h5_object_address(object.id, &address) < 0 ? nil : address
    }

    private static func kind(of object: borrowing HDF5Handle) -> ObjectKind {
        switch H5Iget_type(object.id) {
        case H5I_DATASET: .dataset
        case H5I_GROUP: .group
        default: .other
        }
    }

    /// The names of the datasets in the file and its groups, `train/x`, also of those that cannot be opened; MATLAB's own,
    /// whose names begin with `#`, are left out.
    ///
    /// - Throws: `FormatError` with the code `malformed` where the root group cannot be read.
    package func datasetNames() throws(FormatError) -> [String] {
        try objects(skipsHidden: true).filter { $0.kind == .dataset || $0.kind == nil }.map(\.path)
    }

    /// Opens a dataset.
    ///
    /// - Throws: `FormatError` with the code `notFound`, which lists what is there; `unsupported` for a dataset
    ///   whose elements lie in other files; `malformed` where the object is no dataset or is damaged.
    package func dataset(_ objectPath: String) throws(FormatError) -> HDF5Dataset {
        if let reader {
            let (number, facts) = try reader.ask(.dataset(objectPath)) { answer throws(HDF5BrokenRecord) in
                (try answer.number(), try answer.datasetFacts())
            }
            return HDF5Dataset(number, facts, of: self, reader: reader, objectPath: objectPath)
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        let location = location(of: objectPath)
        let object = try open(objectPath)
        guard H5Iget_type(object.id) == H5I_DATASET else {
            throw FormatError(.malformed, path: location, "this is not a dataset")
        }
        return try HDF5Dataset(object, of: self, objectPath: objectPath)
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

extension HDF5File.ObjectKind {
    private static let all: [Self] = [.dataset, .group, .other]

    /// Its place in a record.
    var number: Int { Self.all.firstIndex(of: self) ?? 0 }

    fileprivate init?(number: Int) {
        guard Self.all.indices.contains(number) else { return nil }
        self = Self.all[number]
    }
}

extension HDF5RecordParser {
    fileprivate mutating func objectKind() throws(HDF5BrokenRecord) -> HDF5File.ObjectKind {
        guard let kind = HDF5File.ObjectKind(number: try number()) else { throw HDF5BrokenRecord() }
        return kind
    }
}
