import FoundationEssentials
public import RRDatasets
internal import RRFormats
public import RRNetworks
internal import RRSchemas

/// A `model.json` on disk.
public enum ModelFile {
    /// The largest file that is read, in bytes: as many layers as are served, with room to spare.
    package static let largestSize = 16 << 20

    /// Reads an architecture, and checks it against the schema and its layers against each other.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no model, naming the field or the layer.
    public static func read(_ path: String) throws -> ModelDescription {
        let bytes = try FileBytes.read(path, maximumSize: largestSize, takesPipe: true)
        let document = try RunDocument.parse(bytes, path: path)
        do {
            let model = try JSONDecoder().decode(ModelDescription.self, from: Data(bytes))
            if let violation = JSONSchema.model.validate(document).first {
                throw FormatError(.malformed, path: "\(path):\(violation.path)", violation.message)
            }
            _ = try Network<Float>(model)
            return model
        } catch let error as NetworkError {
            throw FormatError(
                error.code == .unsupportedLayer ? .unsupported : .malformed,
                path: "\(path):\(error.location)",
                error.message)
        } catch let error as DecodingError {
            let violation = JSONSchema.model.validate(document).first
            throw FormatError(
                .malformed, path: "\(path):\(violation?.path ?? "")", violation?.message ?? "\(error)")
        }
    }

    /// Gives the text of an architecture's `model.json`.
    static func bytes(of model: ModelDescription) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try Array(encoder.encode(model)) + [UInt8(ascii: "\n")]
    }
}

extension BuiltInModel {
    /// Describes the architecture for the images and classes of a dataset.
    public func description(for dataset: Dataset) -> ModelDescription {
        description(input: dataset.imageShape, classCount: dataset.classCount)
    }
}
