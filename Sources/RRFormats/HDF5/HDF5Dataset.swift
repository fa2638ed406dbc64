internal import CHDF5
package import RRTensor

/// A dataset of an open HDF5 file, which it keeps open.
package final class HDF5Dataset {
    /// The file.
    package let path: String
    /// The name inside the file.
    package let objectPath: String
    package let elementType: HDF5ElementType
    /// The extents; empty for a single element, `(0)` for a dataset without a dataspace.
    package let shape: TensorShape

    let file: HDF5File
    let handle: HDF5Handle
    /// libhdf5's type of the elements as stored.
    let storedType: HDF5Handle
    /// The dataset as a process of its own reads it; nil where libhdf5 does in this one.
    let contained: Contained?

    /// A dataset that a process of its own has open.
    struct Contained {
        let reader: HDF5Reader
        /// What the process knows it by.
        let number: Int
        let facts: HDF5DatasetFacts
        /// Where its chunks lie, where they are read past libhdf5.
        let plan: HDF5ChunkPlan?
    }

    /// `data.h5:/images`
    package var location: String { file.location(of: objectPath) }

    /// Takes over an open dataset after checking that all of it lies in its own file.
    init(_ handle: consuming HDF5Handle, of file: HDF5File, objectPath: String) throws(FormatError) {
        let location = file.location(of: objectPath)
        self.path = file.path
        self.objectPath = objectPath
        self.file = file
        // Asking a virtual dataset for its extents may open the files that it names.
        if case .other(let words) = HDF5Layout(of: handle), !file.trustsLinks {
            throw FormatError(
                .unsupported, path: location,
                "its elements lie elsewhere (\(words)); other files are not opened unless \(option: .trustsLinks) says so"
            )
        }
        self.storedType = try HDF5Handle(H5Dget_type(handle.id), at: location, code: .malformed)
        self.elementType = HDF5ElementType(of: storedType)
        let space = try HDF5Handle(H5Dget_space(handle.id), at: location, code: .malformed)
        self.shape = try Self.shape(of: space, at: location)
        self.handle = handle
        contained = nil
    }

    /// Takes over a dataset that a process has opened.
    init(_ number: Int, _ facts: HDF5DatasetFacts, of file: HDF5File, reader: HDF5Reader, objectPath: String)
    {
        path = file.path
        self.objectPath = objectPath
        self.file = file
        (elementType, shape) = (facts.elementType, facts.shape)
        handle = HDF5Handle(none: ())
        storedType = HDF5Handle(none: ())
        var plan: HDF5ChunkPlan?
        if case .chunked(let extents, _) = facts.layout, facts.filters != nil, facts.isInOwnFile,
            let grid = HDF5ChunkDecoder.Chunks(shape: facts.shape.dimensions, extents: extents)
        {
            plan = HDF5ChunkPlan(reader, dataset: number, grid: grid)
        }
        contained = Contained(reader: reader, number: number, facts: facts, plan: plan)
    }

    deinit {
        if let contained { return contained.reader.tell(.close(contained.number)) }
        guard file.input == nil else { return }
        file.flush { H5Dflush(handle.id) }
    }

    private static func shape(
        of space: borrowing HDF5Handle, at location: String
    ) throws(FormatError) -> TensorShape {
        var dimensions = [0]
        if H5Sget_simple_extent_type(space.id) != H5S_NULL {
            let rank = H5Sget_simple_extent_ndims(space.id)
            guard rank >= 0 else { throw HDF5Library.failure(.malformed, at: location) }
            var extents = [hsize_t](repeating: 0, count: Int(rank))
            H5Sget_simple_extent_dims(space.id, &extents, nil)
            dimensions = extents.map { Int(clamping: $0) }
        }
        do {
            // A row is counted in bytes too, of an array without rows as well.
            _ = try TensorShape([16] + dimensions.dropFirst().map { max(1, $0) })
            return try TensorShape(dimensions)
        } catch {
            throw FormatError(.malformed, path: location, error.message)
        }
    }

    /// What has to be known to read the elements past libhdf5.
    var facts: HDF5DatasetFacts {
        if let contained { return contained.facts }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        return HDF5DatasetFacts(
            elementType: elementType, elementSize: H5Tget_size(storedType.id),
            isPaddedWithSpaces: H5Tget_class(storedType.id) == H5T_STRING
                && H5Tget_strpad(storedType.id) == H5T_STR_SPACEPAD,
            form: HDF5ElementForm(of: self), shape: shape, layout: layout,
            filters: HDF5ChunkDecoder.filters(of: self), isInOwnFile: isInOwnFile,
            holdsByteSequences: holdsByteSequences)
    }

    /// How the elements lie in the file at this moment.
    package var layout: HDF5Layout {
        if let contained { return contained.facts.layout }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        return HDF5Layout(of: handle)
    }

    /// Whether the dataset is in the file through which it was opened, not behind a link to another.
    var isInOwnFile: Bool {
        if let contained { return contained.facts.isInOwnFile }
        guard file.trustsLinks else { return true }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        return Self.fileName(of: handle.id) == Self.fileName(of: file.handle.id)
    }

    private static func fileName(of id: hid_t) -> [CChar]? {
        let length = H5Fget_name(id, nil, 0)
        guard length > 0 else { return nil }
        var name = [CChar](repeating: 0, count: length + 1)
        return H5Fget_name(id, &name, name.count) > 0 ? name : nil
    }

    /// The bytes of an element as stored.
    var elementSize: Int { contained?.facts.elementSize ?? H5Tget_size(storedType.id) }

    /// The bytes that the elements fill in the file, 0 before anything was written.
    package var storageSize: Int {
        if let contained {
            let answer = try? contained.reader.ask(.storageSize(contained.number)) {
                answer throws(HDF5BrokenRecord) in
                try answer.size()
            }
            return answer ?? 0
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        return Int(clamping: H5Dget_storage_size(handle.id))
    }

    /// The number of elements in a row along dimension 0; 1 for a single element.
    package var elementsPerRow: Int {
        shape.dimensions.dropFirst().reduce(1, *)
    }

    /// The most bytes of numbers that need no counterpart in the file.
    static let largestFilling = 64 << 20

    /// Checks that the elements can be in the file, before anyone allocates memory for them.
    ///
    /// Deflate makes data at most 1,032 times smaller, so a claim beyond that is damage or malice, or of elements that
    /// were never written: those fill nothing in the file and read as the fill value. Numbers of up to 64 MiB are
    /// served in any case, which bounds what a file of nothing can ask for; text takes more memory than its bytes, so
    /// the file has to hold it.
    ///
    /// - Throws: `FormatError` with the code `malformed`.
    package func checkSize() throws(FormatError) {
        try file.checkOpen()
        // Elements that lie elsewhere may be any number.
        if case .other = layout { return }
        guard isInOwnFile else { return }
        let fileSize = try file.fileSize()
        let (bytes, overflow) = shape.elementCount.multipliedReportingOverflow(by: elementSize)
        let (limit, isBoundless) = fileSize.multipliedReportingOverflow(by: 1100)
        let filling = elementType.size == nil ? 0 : Self.largestFilling
        guard !overflow, isBoundless || bytes <= max(limit, filling) else {
            throw FormatError(
                .malformed, path: location,
                "the shape \(shape) needs more data than a file of \(fileSize) bytes can hold")
        }
    }
}
