import Foundation
import RRExplanation
import RRNetworks
import RRTensor
import RRTraining

/// Our side of `make bench-engine`: times steps that a driver asks for, one request a line.
///
/// A request is `MODEL BATCH LAMBDA1 ANNOTATED STEPS`, and `SIDE THREADS` after it for other images and threads than the
/// usual; the answer is a line with the milliseconds of each step. MODEL is built in; torchvision's networks are trained by
/// Adam.
@main
enum EngineBenchmark {
    static func main() throws {
        var benches: [String: Bench] = [:]
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 5 || words.count == 7 else { continue }
            let key = (words[..<4] + words[5...]).joined(separator: " ")
            let bench = try benches[key] ?? Bench(words)
            benches[key] = bench
            let times = try (0..<(Int(words[4]) ?? 1)).map { _ in try bench.step() }
            let answer = times.map { String($0) }.joined(separator: " ") + "\n"
            try FileHandle.standardOutput.write(contentsOf: Data(answer.utf8))
        }
    }
}

/// A network with a batch of random images, of which a share has random masks.
final class Bench {
    private let trainer: Trainer<Float>
    private let batch: LabelledBatch
    private let clock = ContinuousClock()

    init(_ words: [String]) throws {
        let count = Int(words[1]) ?? 1
        let model = BuiltInModel(rawValue: words[0]) ?? .mlp
        let description = try Self.description(of: model, words)
        let input = description.input
        let isSmall = [.mlp, .lenet, .convnet, .resnet8].contains(model)
        trainer = try Trainer(
            model: description, loss: LossOptions(lambda1: .value(Double(words[2]) ?? 0)),
            optimization: OptimizationOptions(isSmall ? .sgd : .adam, learningRate: 1e-4),
            threadCount: words.count > 6 ? Int(words[6]) : nil)
        var generator = SplitMix64(seed: 1)
        let annotated = Int((Double(words[3]) ?? 0) * Double(count))
        batch = try LabelledBatch(
            imageShape: input,
            images: (0..<count * input.elementCount).map { _ in Float(generator.nextUnit()) },
            labels: (0..<count).map { Int64($0 % 10) },
            masks: (0..<count * input.elementCount).map { index in
                index / input.elementCount < annotated ? UInt8(generator.next() & 1) : 0
            })
    }

    private static func description(of model: BuiltInModel, _ words: [String]) throws -> ModelDescription {
        let isGray = model == .mlp || model == .lenet
        let side = words.count > 5 ? Int(words[5]) ?? 1 : isGray ? 28 : 32
        let input = try ImageShape(channels: isGray ? 1 : 3, height: side, width: side)
        return model.description(input: input, classCount: 10)
    }

    func step() throws -> Double {
        let start = clock.now
        _ = try trainer.step(batch)
        return (clock.now - start) / .milliseconds(1)
    }
}
