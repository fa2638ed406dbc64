import Foundation
import RRExplanation
import RRTensor
import TestSupport
import Testing

@testable import RRTraining

/// Random predictions with the figures that scikit-learn, SciPy and NumPy find for them.
struct FigureReference: Decodable {
    struct Classification: Decodable {
        let classes: Int
        let labels: [Int]
        let weights: [Int]
        let balancedAccuracy: Double?
        let macroF1: Double?
        let area: Double?
        let averagePrecision: Double?
        let calibrationError: Double?
        let brier: Double?
        let precision: [Double?]
        let f1: [Double?]
        let areas: [Double?]
        let averagePrecisions: [Double?]
        let bounds: [String: [Double]]?

        /// The predictions that the case is of.
        var table: PredictionTable {
            var table = PredictionTable(classCount: classes)
            for (sample, label) in labels.enumerated() {
                let weights = weights[sample * classes..<(sample + 1) * classes]
                let sum = Double(weights.reduce(0, +))
                let largest = weights.max() ?? 0
                table.add(
                    label: label, prediction: (weights.firstIndex(of: largest) ?? 0) - weights.startIndex,
                    probabilities: weights.map { Double($0) / sum })
            }
            return table
        }
    }

    struct Localization: Decodable {
        let gradient: [Double]
        let mask: [UInt8]
        let area: Double?
    }

    let classification: [Classification]
    let localization: [Localization]
    let proportions: [[Double]]
    let discordant: [[Double]]

    init() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(
            Self.self, from: Data(contentsOf: URL(filePath: Fixtures.path("reference/figures.json"))))
    }

    /// Expects two numbers to be alike, or neither to be there.
    static func expectAlike(_ found: Double?, _ expected: Double?, _ name: String) {
        guard let found, let expected else {
            #expect(found == nil && expected == nil, "\(name)")
            return
        }
        #expect((found - expected).magnitude <= 1e-12 * max(1, expected.magnitude), "\(name)")
    }
}

@Suite("Figures of predictions, against scikit-learn")
struct ClassificationFiguresTests {
    let reference: FigureReference

    init() throws { reference = try FigureReference() }

    @Test("every figure of 200 random cases is scikit-learn's, equal scores and absent classes among them")
    func figures() {
        #expect(reference.classification.count == 200)
        for (number, expected) in reference.classification.enumerated() {
            let found = ClassificationFigures(
                expected.table, drawCount: 0, seed: 0, workers: Workers(count: 1))
            for (name, figure, value) in [
                ("balanced accuracy", found.balancedAccuracy, expected.balancedAccuracy),
                ("macro F1", found.macroF1, expected.macroF1),
                ("area", found.areaUnderCurve, expected.area),
                ("average precision", found.averagePrecision, expected.averagePrecision),
                ("calibration error", found.calibrationError, expected.calibrationError),
                ("Brier score", found.brierScore, expected.brier),
            ] {
                FigureReference.expectAlike(figure?.value, value, "\(name) of case \(number)")
                #expect(figure?.interval == nil)
            }
            for (label, figures) in found.perClass.enumerated() {
                for (name, figure, values) in [
                    ("precision", figures.precision, expected.precision), ("F1", figures.f1, expected.f1),
                    ("area", figures.areaUnderCurve, expected.areas),
                    ("average precision", figures.averagePrecision, expected.averagePrecisions),
                ] {
                    FigureReference.expectAlike(
                        figure, values[label], "\(name) of \(label) in case \(number)")
                }
            }
        }
        #expect(reference.classification.contains { $0.areas.contains(nil) && $0.area != nil })
    }

    @Test("bounds are the percentiles over NumPy's draws, whatever the number of threads", arguments: [1, 3])
    func bounds(threads: Int) throws {
        let cases = reference.classification.enumerated().filter { $1.bounds != nil }
        #expect(cases.count == 5)
        for (number, expected) in cases {
            let bounds = try #require(expected.bounds)
            let found = ClassificationFigures(
                expected.table, drawCount: 40, seed: UInt64(number), workers: Workers(count: threads))
            for (name, figure) in [
                ("balanced_accuracy", found.balancedAccuracy), ("macro_f1", found.macroF1),
                ("area", found.areaUnderCurve), ("average_precision", found.averagePrecision),
                ("calibration_error", found.calibrationError), ("brier", found.brierScore),
            ] {
                FigureReference.expectAlike(figure?.interval?.lower, bounds[name]?[0], "\(name) of \(number)")
                FigureReference.expectAlike(figure?.interval?.upper, bounds[name]?[1], "\(name) of \(number)")
            }
        }
    }

    @Test("no samples have no figures")
    func empty() {
        let found = ClassificationFigures(
            PredictionTable(classCount: 3), drawCount: 10, seed: 0, workers: Workers(count: 1))
        #expect(found.balancedAccuracy == nil && found.areaUnderCurve == nil && found.brierScore == nil)
        #expect(found.perClass.count == 3 && found.perClass[0].f1 == nil)
    }

    @Test("Wilson's bounds are SciPy's")
    func proportions() {
        for expected in reference.proportions {
            let found = Proportion(Int(expected[0]), of: Int(expected[1])).interval
            FigureReference.expectAlike(found?.lower, expected[2], "\(expected)")
            FigureReference.expectAlike(found?.upper, expected[3], "\(expected)")
        }
        #expect(Proportion().interval == nil && Proportion().share == nil)
    }

    @Test(
        "the localisation of 200 random gradients is scikit-learn's, equal elements and empty masks among them"
    )
    func localization() {
        var area = LocalizationArea()
        for (number, expected) in reference.localization.enumerated() {
            let magnitudes = expected.gradient.map { Float($0.magnitude) }
            let found = magnitudes.withUnsafeBufferPointer { magnitudes in
                expected.mask.withUnsafeBufferPointer { area.measure(magnitudes, by: $0) }
            }
            FigureReference.expectAlike(found, expected.area, "case \(number)")
            let precise = expected.gradient.map(\.magnitude).withUnsafeBufferPointer { magnitudes in
                expected.mask.withUnsafeBufferPointer { area.measure(magnitudes, by: $0) }
            }
            FigureReference.expectAlike(precise, expected.area, "case \(number) in double")
        }
        #expect(reference.localization.count == 200 && reference.localization.contains { $0.area == nil })
    }

    @Test("McNemar's test is SciPy's, exact for few samples and by chi-square with its correction")
    func discordant() {
        for expected in reference.discordant {
            let (first, second) = (Int(expected[0]), Int(expected[1]))
            let found = McNemarTest(firstOnly: first, secondOnly: second)
            FigureReference.expectAlike(found.probability, expected[2], "\(expected)")
            #expect(found.method == .exact)
            FigureReference.expectAlike(McNemarTest.corrected(first, second), expected[3], "\(expected)")
        }
        let many = McNemarTest(firstOnly: 700, secondOnly: 500)
        #expect(many.method == .chiSquare && many.probability == McNemarTest.corrected(700, 500))
        // Where the one gives way to the other they hardly differ.
        #expect(abs(McNemarTest.corrected(540, 460) / McNemarTest.exact(460, of: 1000) - 1) < 0.05)
    }
}
