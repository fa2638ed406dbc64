internal import ArgumentParser
import RRExchange
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining

struct ExportModelCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Write a run's network with its weights as an ONNX file.",
        discussion: """
            Any runtime that reads ONNX opens it, network and weights in one file. It takes "images", float32 of (N, C, H, W), \
            uint8 pixels divided by 255 and uint16 by 65535, and gives "logits" of (N, classes); N is any number. What \
            --normalize did to images is a part of it. Its numbers are of single precision, the operator set is 17, tensors have the \
            names that they have in weights.safetensors, and normalisations keep their stored statistics.

            Example:
              rrdata export model run -o model.onnx
            """)

    @Argument(help: ArgumentHelp("The run.", valueName: "run"))
    var folder: String

    @Flag(help: "Take the weights of the best epoch of the validation.")
    var best = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(output, isFolder: false)
        paths.readRun(folder)
        return paths
    }

    func run() throws {
        let run = try Run(path: folder, best: best)
        let network = try Network<Float>(run.model)
        let parameters = try run.parameters(of: network)
        let file = try AtomicOutput(path: output.output, force: output.force)
        let bytes = try ONNXExport.bytes(
            network, parameters, normalization: run.normalization.map { ($0.means, $0.standardDeviations) },
            path: output.output)
        try FileBytes.write(bytes, to: file.temporaryPath)
        try file.commit()
        var notes: [String] = []
        if let resizeCrop = run.resizeCrop {
            notes.append(
                "the run resized and cropped its images by \(resizeCrop.text), which the file does not do")
        }
        if run.precision == .double {
            notes.append("the run computed in double precision; the file has its weights in single")
        }
        if report.json {
            Console.print(json: [
                "output": .string(output.output), "bytes": .integer(bytes.count),
                "parameters": .integer(network.parameterLayout.count),
                "input": .array(run.model.input.dimensions.map { .integer($0) }),
                "classes": .integer(run.model.classCount), "normalized": .bool(run.normalization != nil),
                "notes": .array(notes.map { .string($0) }),
            ])
        } else {
            Console.print(
                Message(
                    "\(output.output.legible): \(network.parameterLayout.count) parameters, images of \(run.model.input), "
                        + "\(run.model.classCount) logits"))
        }
        for note in notes { Console.note(Message(note)) }
    }
}
