internal import RRDatasets
internal import RRFormats
package import RRNetworks
package import RRSchemas

extension MaskMaking {
    /// The name of a class's mask set in the folder.
    package static func fileName(ofClass index: Int) -> String { "class-\(index).h5" }

    /// Makes a mask set for every class k of a model, from the gradient of log p_k, in a folder that appears whole or
    /// not at all: `class-0.h5`, `class-1.h5`, ….
    ///
    /// The dataset is read once for each class, so that memory does not grow with their number.
    ///
    /// - Parameters:
    ///   - provenance: what a class's mask set says of its making.
    ///   - progress: is told of the samples done and of all, over all classes.
    /// - Throws: as `write(network:parameters:provenance:path:force:progress:)`; `FormatError` with the code
    ///   `cannotWrite` also where `force` would replace a folder that holds something else.
    package func writeClasses<Scalar: NetworkScalar>(
        network: Network<Scalar>, parameters: Parameters<Scalar>, path: String, force: Bool,
        provenance: (Int) -> JSONValue, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [WrittenMasks] {
        let classCount = network.model.classCount
        if force, FileTree.kind(of: path) == .folder { try Self.checkReplaceable(path) }
        let folder = try AtomicOutput(path: path, force: force, isDirectory: true)
        var making = self
        var written: [WrittenMasks] = []
        for index in 0..<classCount {
            making.classIndex = index
            written.append(
                try making.write(
                    network: network, parameters: parameters, provenance: provenance(index),
                    path: folder.temporaryPath + "/" + Self.fileName(ofClass: index), force: false
                ) { progress(index * $1 + $0, classCount * $1) })
        }
        try folder.commit()
        return written
    }

    private static func checkReplaceable(_ path: String) throws {
        let listing = try FolderListing(of: path)
        let isOurs =
            listing.kinds.allSatisfy { $0 == .file }
            && listing.names.allSatisfy { $0.hasPrefix("class-") && $0.hasSuffix(".h5") }
        guard isOurs else {
            throw FormatError(
                .cannotWrite, path: path,
                "the folder holds other files than mask sets of classes, so \(option: .force) does not replace it: name "
                    + "another output, or remove it first")
        }
    }
}
