package import RRTensor

extension HDF5File {
    /// What a dataset is by its header.
    package struct Description: Sendable {
        package let elementType: HDF5ElementType
        package let shape: TensorShape
        package let layout: HDF5Layout
        /// The bytes that the elements fill in the file.
        package let storageSize: Int
    }

    /// Describes every dataset that `objects()` finds, in its order; what cannot be opened has the reason.
    ///
    /// - Throws: as `objects(skipsHidden:)`.
    package func descriptions() throws(FormatError) -> [(path: String, Result<Description, FormatError>)] {
        if let reader {
            return try reader.ask(.descriptions) { answer throws(HDF5BrokenRecord) in
                try answer.list { answer throws(HDF5BrokenRecord) in
                    (try answer.text(), try answer.description())
                }
            }
        }
        return try objects().filter { $0.kind == .dataset || $0.kind == nil }.map { object in
            (object.path, Result { () throws(FormatError) in try describe("/" + object.path) })
        }
    }

    private func describe(_ objectPath: String) throws(FormatError) -> Description {
        let dataset = try dataset(objectPath)
        return Description(
            elementType: dataset.elementType, shape: dataset.shape, layout: dataset.layout,
            storageSize: dataset.storageSize)
    }
}

extension HDF5Record {
    mutating func append(_ description: Result<HDF5File.Description, FormatError>) {
        switch description {
        case .success(let description):
            append(true)
            append(description.elementType)
            append(description.shape.dimensions) { $0.append($1) }
            append(description.layout)
            append(description.storageSize)
        case .failure(let error):
            append(false)
            append(error)
        }
    }
}

extension HDF5RecordParser {
    fileprivate mutating func description() throws(HDF5BrokenRecord) -> Result<
        HDF5File.Description, FormatError
    > {
        guard try flag() else { return .failure(try error()) }
        return .success(
            HDF5File.Description(
                elementType: try elementType(), shape: try shape(), layout: try layout(),
                storageSize: try size()))
    }
}
