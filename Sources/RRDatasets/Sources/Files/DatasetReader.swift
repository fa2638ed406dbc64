internal import RRFormats
internal import RRTensor

/// Reads the parts of a dataset file and refuses what does not fit.
struct DatasetReader {
    let file: HDF5File

    private func fault(_ code: DatasetError.Code, _ objectPath: String, _ message: String) -> DatasetError {
        DatasetError(code, path: objectPath == "/" ? file.path : "\(file.path):\(objectPath)", message)
    }

    func require(_ objectPath: String) throws -> HDF5Dataset {
        guard file.exists(objectPath) else {
            let names = try file.memberNames(of: "/").joined(separator: ", ")
            throw fault(
                .missingObject, objectPath,
                "the array is missing; the file holds \(names.isEmpty ? "nothing" : names)")
        }
        return try file.dataset(objectPath)
    }

    /// `/images`, of four dimensions and not empty.
    func images() throws -> HDF5Dataset {
        let images = try require("/images")
        guard images.shape.rank == 4 else {
            throw fault(.wrongShape, "/images", "the shape is \(images.shape), where (N, C, H, W) is needed")
        }
        guard images.shape.elementCount > 0 else {
            throw fault(.empty, "/images", "there are no pixels: the shape is \(images.shape)")
        }
        try images.checkSize()
        return images
    }

    func elementType(of images: HDF5Dataset) throws -> ImageElementType {
        guard let type = ImageElementType(images.elementType) else {
            throw fault(
                .wrongType, "/images",
                "the type is \(images.elementType), where uint8, uint16 or float32 (little-endian) is needed")
        }
        return type
    }

    /// The attribute `color`, or where it is missing what the number of channels suggests.
    func color(of images: HDF5Dataset) throws -> String {
        if let color = try file.attribute("color", of: "/images")?.text { return color }
        return [1: "gray", 3: "rgb"][images.shape[1]] ?? "other"
    }

    /// A list with an element for each sample.
    func list<Element: HDF5Element>(_ objectPath: String, count: Int, as type: Element.Type) throws
        -> [Element]
    {
        let dataset = try require(objectPath)
        guard dataset.shape.dimensions == [count] else {
            throw fault(
                .wrongShape, objectPath,
                "the shape is \(dataset.shape), but there are \(count) images: (\(count)) is needed")
        }
        guard dataset.elementType.isInteger else {
            throw fault(
                .wrongType, objectPath, "the type is \(dataset.elementType), where integers are needed")
        }
        return try dataset.readAll(as: type)
    }

    func string(_ attribute: String) throws -> String {
        guard let value = try file.attribute(attribute) else {
            throw fault(.missingObject, "/", "the attribute “\(attribute)” is missing")
        }
        guard let text = value.text else {
            throw fault(.wrongAttribute, "/", "the attribute “\(attribute)” is no text")
        }
        return text
    }

    /// A list of names that is an attribute of an array; nil where there is none.
    func names(_ attribute: String, of objectPath: String) throws -> [String]? {
        guard let value = try file.attribute(attribute, of: objectPath) else { return nil }
        guard let names = value.texts else {
            throw fault(.wrongAttribute, objectPath, "the attribute “\(attribute)” is no list of texts")
        }
        return names
    }

    /// The labels, where there are any, and what the classes are called.
    func labels(count: Int) throws -> (labels: [Int]?, classNames: [String]?) {
        guard file.exists("/labels") else { return (nil, nil) }
        let labels = try list("/labels", count: count, as: Int64.self).map { Int($0) }
        let classNames = try names("class_names", of: "/labels")
        let classCount = classNames?.count ?? min((labels.max() ?? -1), Dataset.largestBareLabel) + 1
        if let index = labels.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
            throw fault(
                .labelOutOfRange, "/labels",
                "sample \(index) has the label \(labels[index]), but the classes are 0 to \(classCount - 1)")
        }
        return (labels, classNames)
    }

    /// The number of each sample's split, where there are any, and what the splits are called.
    func splits(count: Int) throws -> (splits: [UInt8]?, names: [String]) {
        guard file.exists("/split") else { return (nil, []) }
        let splits = try list("/split", count: count, as: UInt8.self)
        guard let names = try names("split_names", of: "/split") else {
            throw fault(.missingObject, "/split", "the attribute “split_names” is missing")
        }
        if let index = splits.firstIndex(where: { Int($0) >= names.count }) {
            throw fault(
                .splitOutOfRange, "/split",
                "sample \(index) is in split \(splits[index]), but \(names.count) splits are named")
        }
        return (splits, names)
    }

    /// The group of each sample; nil where there are none.
    func groups(count: Int) throws -> SampleGroups? {
        guard file.exists("/group") else { return nil }
        let numbers = try list("/group", count: count, as: Int64.self).map { Int($0) }
        let names = try names("group_names", of: "/group")
        let limit = names?.count ?? Dataset.largestBareLabel + 1
        if let index = numbers.firstIndex(where: { $0 < 0 || $0 >= limit }) {
            throw fault(
                .groupOutOfRange, "/group",
                "sample \(index) is in group \(numbers[index]), but the groups are 0 to \(limit - 1)")
        }
        return SampleGroups(numbers: numbers, names: names)
    }

    /// The size of each image before it was resized; nil where the file says none.
    func sourceSizes(count: Int) throws -> [ImageSize]? {
        guard file.exists("/source_size") else { return nil }
        let sizes = try require("/source_size")
        guard sizes.shape.dimensions == [count, 2], sizes.elementType.isInteger else {
            throw fault(
                .wrongShape, "/source_size",
                "this is \(sizes.elementType) of the shape \(sizes.shape), where integers (\(count), 2) are needed"
            )
        }
        let extents = try sizes.readAll(as: Int32.self)
        if let place = extents.firstIndex(where: { $0 < 1 }) {
            throw fault(
                .valueOutOfRange, "/source_size", "an extent of sample \(place / 2) is \(extents[place])")
        }
        return (0..<count).map {
            ImageSize(height: Int(extents[2 * $0]), width: Int(extents[2 * $0 + 1]))
        }
    }

    func ids(count: Int) throws -> [String] {
        let dataset = try require("/ids")
        guard dataset.shape.dimensions == [count] else {
            throw fault(
                .wrongShape, "/ids",
                "the shape is \(dataset.shape), but there are \(count) images: (\(count)) is needed")
        }
        return try dataset.readStrings()
    }
}
