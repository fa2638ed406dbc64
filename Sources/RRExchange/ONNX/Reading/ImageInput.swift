internal import RRFormats
internal import RRTensor

/// What the file says of the images that its network takes.
struct ImageInput {
    /// The number of samples that the file fixes; nil where it leaves it open.
    let batch: Int?
    let shape: ImageShape
    /// The extents of a sample, in the file's order.
    let dimensions: [Int]

    /// As a network's.
    private static let largestImage = 1 << 28
    private static let largestBatch = 1 << 20

    /// - Throws: `FormatError` with the code `unsupported` where the input is no images, or their extents are not known.
    init(
        _ input: ValueInfoProto, order: [Axis], images: ImageShape?, path: String
    ) throws(FormatError) {
        func unsupported(_ message: String) -> FormatError {
            FormatError(.unsupported, path: "\(path):\(input.name)", message)
        }
        guard let type = input.elementType, let extents = input.dimensions else {
            throw unsupported("the input's shape is not said; onnx.shape_inference or a new export says it")
        }
        guard [1, 10, 11, 16].contains(type) else {
            throw unsupported("the input has elements of ONNX's type \(type); images are floating-point")
        }
        // Images of one channel may stand without it.
        let axes = extents.count == 3 ? order.filter { $0 != .channel } : order
        guard extents.count == 3 || extents.count == 4 else {
            throw unsupported(
                "the input has \(extents.count) dimensions; images are (N, C, H, W) or (N, H, W, C)")
        }
        var found: [Axis: Int] = [.channel: 1]
        for (axis, extent) in zip(axes, extents.dropFirst()) {
            let known: [Axis: Int?] = [
                .channel: images?.channels, .height: images?.height, .width: images?.width,
            ]
            guard let extent = extent ?? known[axis] ?? nil else {
                throw unsupported("the input's extents are left open: export it for images of one size")
            }
            found[axis] = extent
        }
        do throws(TensorError) {
            shape = try ImageShape(
                channels: found[.channel] ?? 1, height: found[.height] ?? 1, width: found[.width] ?? 1)
        } catch {
            throw unsupported("\(error)")
        }
        guard shape.elementCount <= Self.largestImage, extents[0] ?? 1 <= Self.largestBatch else {
            throw unsupported("the input is \(extents[0] ?? 1) images of \(shape), more than is served")
        }
        batch = extents[0]
        dimensions = axes.map { found[$0] ?? 1 }
    }
}
