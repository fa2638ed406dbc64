@testable import RRFormats
@testable import RRTensor

extension FuzzedReader {
    /// The largest array that is read here, in bytes: larger ones are honest, and slow.
    private static let largestArray = 4 << 20

    static let arrays: [FuzzedReader] = [
        FuzzedReader(name: "npy") { _, path in try readAll(of: ArrayFile(path: path, format: .npy)) },
        FuzzedReader(name: "npz") { _, path in try readAll(of: ArrayFile(path: path, format: .npz)) },
        FuzzedReader(name: "idx") { _, path in try readAll(of: ArrayFile(path: path, format: .idx)) },
        // safetensors, PyTorch's pickle in a ZIP file, and NPZ, by their first bytes.
        FuzzedReader(name: "weights") { _, path in
            _ = try StateDictFile.format(of: path)
            for dict in try StateDictFile.read(path) {
                for (position, entry) in dict.entries.enumerated() {
                    let shape = try TensorShape(entry.shape)
                    guard shape.elementCount <= largestArray else { continue }
                    let tensors = try dict.tensors(
                        named: dict.entries.indices.map { $0 == position ? entry.name : nil })
                    for tensor in tensors {
                        let values = try tensor.values(as: Float.self)
                        guard values.count == shape.elementCount else {
                            throw FuzzFinding("\(values.count) values are not the shape \(shape)")
                        }
                    }
                }
            }
        },
        FuzzedReader(name: "pickle") { bytes, path in _ = try Pickle(bytes, location: path, remedy: "") },
        // An IDX file in members of gzip.
        FuzzedReader(name: "gzip") { bytes, path in
            guard bytes.starts(with: [0x1F, 0x8B]) else { return }
            try readAll(of: ArrayFile(path: path, format: .idx))
        },
    ]

    private static func readAll(of file: ArrayFile) throws {
        let names = try file.arrayNames()
        for name in names.isEmpty ? [nil] : names.map(Optional.some) {
            do {
                try readAll(of: try file.array(name))
            } catch  where names.count > 1 && !(error is FuzzFinding) {
                continue
            }
        }
    }

    private static func readAll(of array: any ArraySource) throws {
        try array.checkSize()
        let count = array.shape.elementCount
        guard array.elementType.size != nil else {
            let texts = try array.texts()
            guard texts.count == count else { throw FuzzFinding("\(texts.count) texts are not \(count)") }
            return
        }
        guard array.bytesPerRow <= largestArray, count <= largestArray else { return }
        var size = 0
        try array.forEachBlock { _, block in
            size += block.count
            _ = block.reduce(into: UInt8(0)) { $0 ^= $1 }
        }
        if array.elementType.isInteger { _ = try array.integers() }
        _ = try? SampleFirstArray(array).checkSize()
    }
}
