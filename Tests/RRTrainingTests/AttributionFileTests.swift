import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Gradients that are written beside masks")
struct AttributionFileTests {
    private let shades: TwoShades
    private let run: Run

    init() throws {
        shades = try TwoShades()
        _ = try shades.train(shades.options)
        run = try Run(path: shades.folder.path("run"))
    }

    private func gradients() throws -> [Float] {
        let file = try HDF5File(reading: shades.folder.path("g.h5"))
        let array = try file.dataset("/attributions")
        #expect(array.shape.dimensions == [TwoShades.sampleCount, 1, 4, 4])
        #expect(file.text("dataset_fingerprint") == (try shades.dataset.fingerprint))
        return try array.readAll(as: Float.self)
    }

    @Test("they are the model's, in the order of the dataset, and make the same masks again")
    func values() throws {
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
        making.attributionPath = shades.folder.path("g.h5")
        // Several batches, of which the last is smaller.
        making.batchSize = 7
        _ = try making.write(run, to: shades.folder.path("m.h5"), precision: .float)
        let found = try gradients()

        let network = try Network<Float>(run.model)
        let batch = try LabelledBatch(
            imageShape: shades.dataset.imageShape,
            images: (0..<TwoShades.sampleCount).flatMap { index in
                try shades.dataset.image(at: index).elements
            }, labels: Array(repeating: 0, count: TwoShades.sampleCount))
        let expected = try InputGradients(network: network).compute(
            batch, at: run.parameters(of: network)
        ).gradients
        #expect(expected.contains { $0 != 0 })
        for (value, expected) in zip(found, expected) {
            #expect((value - expected).magnitude <= 1e-4 * max(expected.magnitude, 1e-3))
        }

        making.attributionPath = nil
        _ = try making.write(
            gradientsAt: shades.folder.path("g.h5"), to: shades.folder.path("again.h5"), force: false
        ) { _, _ in }
        let (masks, again) = (
            try MaskSet(path: shades.folder.path("m.h5"), for: shades.dataset),
            try MaskSet(path: shades.folder.path("again.h5"), for: shades.dataset)
        )
        #expect(masks.bits == again.bits && masks.rows == again.rows)
    }

    @Test("of noisy copies they are the mean")
    func smoothed() throws {
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
        making.attributionPath = shades.folder.path("g.h5")
        making.smoothing = GradientSmoothing(copyCount: 1, deviation: 0.1)
        func written() throws -> [Float] {
            _ = try making.write(run, to: shades.folder.path("m.h5"), force: true)
            return try gradients()
        }
        let one = try written()
        making.smoothing?.copyCount = 4
        let four = try written()
        func scale(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1.magnitude } }
        #expect(scale(four) < 2 * scale(one) && scale(four) > scale(one) / 2 && four != one)
    }

    @Test("where one of the two cannot be written, neither appears")
    func together() throws {
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
        making.attributionPath = shades.folder.path("g.h5")
        try shades.folder.write([1], to: "g.h5")
        let error = #expect(throws: FormatError.self) {
            try making.write(run, to: shades.folder.path("m.h5"))
        }
        #expect(error?.code == .outputExists)
        #expect(FileTree.kind(of: shades.folder.path("m.h5")) == nil)
    }
}
