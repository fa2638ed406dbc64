import RRExchange
import RRFormats
import RRNetworks
import RRTensor
import RRTraining

/// The network of an ONNX file as training takes it, with as many logits as there are classes.
struct ImportedModel {
    let path: String
    let description: ModelDescription
    /// The weights, those of the last layer as the file has them.
    let tensors: [SafeTensor]
    /// The SHA-256 of the file and of those beside it that have its weights.
    let hash: String

    /// - Parameters:
    ///   - images: the shape of the images, for extents that the file leaves open.
    ///   - classCount: the number of logits; nil for the file's.
    /// - Throws: `FormatError` where the file cannot be read, or holds no network that is served.
    init(_ path: String, images: ImageShape, classCount: Int?) throws {
        let network = try ImportedNetwork(onnx: path, images: images)
        for note in network.notes { Console.note(Message("\(path): \(note)")) }
        guard let description = network.model(classCount: classCount ?? network.model.classCount) else {
            throw FormatError(
                .unsupported, path: path,
                "the network gives \(network.model.classCount) logits, the images have \(classCount ?? 0) classes, and its "
                    + "last layer with weights is none that could give as many; --head keep takes it as it is"
            )
        }
        self.path = path
        self.description = description
        tensors = network.tensors
        hash = try network.hash()
    }
}
