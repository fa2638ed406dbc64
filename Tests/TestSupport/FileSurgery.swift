internal import RRDatasets
package import RRFormats
internal import RRTensor

/// Changes the elements of an array in a file of ours, and its digest with them, as someone does who knows the format.
///
/// - Parameter objectPath: an array in one piece, of the type of the elements.
package func rewrite<Element: HDF5Element & FixedWidthInteger>(
    _ objectPath: String, of path: String, as type: Element.Type, change: (inout [Element]) throws -> Void
) throws {
    let array = try HDF5File(reading: path).dataset(objectPath)
    guard case .contiguous(let offset?) = array.layout else {
        throw FormatError(.unsupported, path: path, "\(objectPath) is in several pieces")
    }
    let old = try array.readAll(as: type)
    var new = old
    try change(&new)
    var bytes = try FileBytes.read(path)
    new.withUnsafeBytes { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    func digest(_ elements: [Element]) -> [UInt8] {
        let elements = array.shape.rank > 2 ? [] : elements
        return Array(
            ContentDigests.digest(of: elements, type: array.elementType, shape: array.shape.dimensions).utf8)
    }
    let (oldDigest, newDigest) = (digest(old), digest(new))
    if let start = bytes.indices.first(where: { bytes[$0...].starts(with: oldDigest) }) {
        bytes.replaceSubrange(start..<start + newDigest.count, with: newDigest)
    }
    try FileBytes.write(bytes, to: path)
}
