/// A file of `torch.save` in its ZIP format (since PyTorch 1.6): a pickle beside the elements of its tensors.
///
/// Nothing of it is executed. What is neither a tensor, a dictionary, a list, a tuple, a text nor a number is refused by
/// its name.
struct PyTorchFile {
    let path: String
    let pickle: Pickle
    private let zip: ZIPFile
    /// The member of each of the pickle's storages.
    private let members: [ZIPFile.Member]
    private let isBigEndian: Bool

    /// A larger pickle is refused; that of a model has some hundred bytes a tensor.
    private static let largestPickle = 64 << 20

    /// Reads the pickle, and finds the elements.
    ///
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    init(_ zip: ZIPFile) throws(FormatError) {
        let path = zip.file.path
        self.path = path
        self.zip = zip
        guard let main = Self.main(of: zip) else { throw ZIPFile.damaged(path) }
        guard main.size <= Self.largestPickle else {
            throw FormatError(
                .unsupported, path: path,
                "the pickle has \(main.size) bytes; at most \(Self.largestPickle) are read")
        }
        let folder = String(main.name.dropLast(Self.mainName.count))
        var named: [String: ZIPFile.Member] = [:]
        for member in zip.members where named.updateValue(member, forKey: member.name) != nil {
            throw FormatError(.malformed, path: path, "the ZIP file holds \(member.name) twice")
        }
        guard named[folder + "constants.pkl"] == nil else {
            throw FormatError(
                .unsupported, path: path,
                "the file is a TorchScript archive: a program, not a state dict\(PyTorchConversion(path).ofScript)"
                    as Message
            )
        }
        let bytes = try zip.bytes(of: main, location: path)
        pickle = try Pickle(bytes, location: path, remedy: PyTorchConversion(path, pickle: bytes).ofPickle)
        switch try named[folder + "byteorder"].map({ member throws(FormatError) in
            // Anything longer is no such word.
            member.size <= 16 ? try zip.bytes(of: member, location: path) : []
        }) {
        case nil, Array("little".utf8)?: isBigEndian = false
        case Array("big".utf8)?: isBigEndian = true
        default: throw FormatError(.malformed, path: path, "the byte order is neither little nor big")
        }
        members = try pickle.storages.map { storage throws(FormatError) in
            let location = "\(path):\(folder)data/\(storage.key)"
            guard let member = named["\(folder)data/\(storage.key)"] else {
                throw FormatError(.malformed, path: location, "the elements of a tensor are missing")
            }
            let (size, overflow) = storage.count.multipliedReportingOverflow(by: storage.type.size)
            guard !overflow, size == member.size else {
                throw FormatError(
                    .malformed, path: location,
                    "the member has \(member.size) bytes, which are not \(storage.count) elements of \(storage.type.size)"
                )
            }
            return member
        }
    }

    private static let mainName = "data.pkl"

    /// The pickle, which lies in the one folder of the ZIP file.
    private static func main(of zip: ZIPFile) -> ZIPFile.Member? {
        zip.members.first { member in
            member.name == mainName
                || member.name.hasSuffix("/" + mainName) && member.name.count { $0 == "/" } == 1
        }
    }

    /// Tells whether a ZIP file is one of PyTorch's.
    static func isServed(_ zip: ZIPFile) -> Bool { main(of: zip) != nil }

    /// The elements of a storage as they stand in the file.
    ///
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    func elements(of storage: Int) throws(FormatError) -> [UInt8] {
        let member = members[storage]
        return try zip.bytes(of: member, location: "\(path):\(member.name)")
    }

    /// Gathers the elements of a tensor from its storage: in row-major order, little-endian.
    func gather(_ tensor: PickleTensor, from elements: [UInt8]) -> [UInt8] {
        let size = pickle.storages[tensor.storage].type.size
        var bytes = [UInt8](repeating: 0, count: tensor.count * size)
        guard tensor.count > 0 else { return bytes }
        bytes.withUnsafeMutableBytes { target in
            elements.withUnsafeBytes { source in
                Self.copy(tensor, source, size: size, into: target)
            }
            if isBigEndian { ByteOrder.swap(target, elementSize: size) }
        }
        return bytes
    }

    private static func copy(
        _ tensor: PickleTensor, _ source: UnsafeRawBufferPointer, size: Int,
        into target: UnsafeMutableRawBufferPointer
    ) {
        // Dimensions that lie in a row are copied together.
        var (run, inner) = (1, tensor.shape.count)
        while inner > 0, tensor.strides[inner - 1] == run || tensor.shape[inner - 1] == 1 {
            inner -= 1
            run *= tensor.shape[inner]
        }
        var position = Array(repeating: 0, count: inner)
        var place = tensor.offset
        for start in stride(from: 0, to: target.count, by: run * size) {
            UnsafeMutableRawBufferPointer(rebasing: target[start..<start + run * size])
                .copyMemory(from: .init(rebasing: source[place * size..<(place + run) * size]))
            for dimension in (0..<inner).reversed() {
                position[dimension] += 1
                place += tensor.strides[dimension]
                if position[dimension] < tensor.shape[dimension] { break }
                place -= tensor.strides[dimension] * tensor.shape[dimension]
                position[dimension] = 0
            }
        }
    }
}
