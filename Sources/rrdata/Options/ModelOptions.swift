internal import ArgumentParser
import RRExchange
import RRFormats
import RRNetworks
import RRTraining

/// Which trained model a command uses.
struct TrainedModelOptions: ParsableArguments {
    @Option(
        help:
            "A model.json, in place of a run; needs --weights. Or an ONNX file, with its own weights or those."
    )
    var model: String?

    @Option(help: "The weights of --model: a safetensors, PyTorch (.pt, .pth) or NPZ file.")
    var weights: String?

    @Option(help: "The number type to compute in; the run's by default, and double for make-masks.")
    var precision: Precision?

    func add(to paths: inout CommandPaths) {
        paths.read(model, option: .model)
        paths.read(weights, option: .weights)
    }

    /// Opens the run at a path, or the model and the weights.
    ///
    /// - Parameter best: whether the run's best epoch is wanted.
    func open(run path: String?, pathName: String, best: Bool = false) throws -> Run {
        switch (path, model, weights) {
        case (let path?, nil, nil): return try Run(path: path, best: best)
        case (nil, let model?, _) where ImportedNetwork.isONNX(model):
            let network = try ImportedNetwork(onnx: model)
            for note in network.notes { Console.note(Message("\(model): \(note)")) }
            guard let weights else { return Run(network.model, weightsPath: model, tensors: network.tensors) }
            let run = Run(network.model, weightsPath: weights)
            for note in try run.weightsNotes() { Console.note(note) }
            return run
        case (nil, let model?, let weights?):
            let run = try Run(modelPath: model, weightsPath: weights)
            for note in try run.weightsNotes() { Console.note(note) }
            return run
        default:
            throw ValidationError("give either \(pathName), or both --model and --weights")
        }
    }
}

/// An architecture as `--model` names it.
enum ModelChoice: ExpressibleByArgument {
    case builtIn(BuiltInModel)
    case file(String)

    init?(argument: String) {
        self = BuiltInModel(rawValue: argument).map { .builtIn($0) } ?? .file(argument)
    }

    static var names: String { BuiltInModel.allCases.map(\.rawValue).joined(separator: ", ") }
}

extension Run {
    /// Checks that paths are runs and then a dataset, where they may have been given the other way round.
    ///
    /// - Throws: `ValidationError`.
    static func checkOrder(of paths: [String]) throws {
        guard let first = paths.first, let last = paths.last, paths.count > 1,
            FileTree.kind(of: first) == .file, FileTree.kind(of: last + "/config.json") == .file
        else { return }
        let order = (paths.dropFirst() + [first]).map { RunCommandLine.quoted($0.legible) }.joined(
            separator: " ")
        throw ValidationError("runs come first, and then the dataset: \(order)")
    }
}
