import Foundation
import RRDatasets
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

@testable import RRReports

@Suite("pages about runs")
struct RunReportTests {
    /// A run on the sample dataset, and what it is of.
    private func run(
        in folder: TemporaryFolder, _ change: (inout SampleDataset) -> Void = { _ in }
    ) throws -> (dataset: Dataset, masks: MaskSet, path: String) {
        var sample = try SampleDataset(folder)
        change(&sample)
        let dataset = try sample.dataset()
        let masks = try sample.masks(dataset.fingerprint)
        let path = folder.path("run")
        var options = TrainingOptions(model: BuiltInModel.mlp.description(for: dataset))
        options.stream.epochs = 2
        options.stream.batchSize = 2
        options.loss.lambda1 = 1
        _ = try TrainingLoop(dataset: dataset, masks: masks, options: options).run(output: path)
        return (dataset, masks, path)
    }

    @Test("names of whatever origin are text, and nothing in a page runs or is fetched")
    func hostile() throws {
        let folder = try TemporaryFolder()
        let (dataset, masks, path) = try run(in: folder) { sample in
            sample.ids = ContactSheetTests.names
            sample.classNames = ["<script>alert(1)</script>", "a]]>b\"'", "\u{202E}\u{5E9}👩‍👩‍👧"]
            sample.groups = SampleGroups(
                numbers: [0, 1, 0, 1, 0, 1, 0], names: ["<img src=x onerror=y>", "&amp;"])
            sample.provenance = ["source": "</code><script>alert(2)</script>"]
        }
        let run = try ReportedRun(path: path, name: "<b>\" onclick=\"alert(3)")
        var options = RunReport.Options()
        options.split = "all"
        let html = try RunReport(of: [run, run], dataset: dataset, masks: masks, options: options).html
        #expect(!html.contains("<script") && !html.contains("<img src=x") && !html.contains("<b>"))
        #expect(!html.contains("]]>") && !html.contains("\u{202E}"))
        #expect(!html.contains("http:") && !html.contains("https:") && !html.contains(" style="))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        // No attribute that a name could have ended holds another one.
        for piece in html.components(separatedBy: "=\"").dropFirst() {
            let value = piece.prefix { $0 != "\"" }
            #expect(!value.contains("<") && !value.contains(">"), "\(value.prefix(100))")
        }
    }

    @Test("the policy knows the one style sheet by its hash, and lets nothing else in")
    func policy() throws {
        let html = HTMLPage(title: "x").html()
        let style = try #require(
            html.components(separatedBy: "<style>").last?.components(separatedBy: "</style>").first)
        var hasher = SHA256Hasher()
        Array(style.utf8).withUnsafeBytes { hasher.update($0) }
        let digits = Array(hasher.finalize())
        let hash = Base64.text(
            of: stride(from: 0, to: 64, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) })
        #expect(
            html.contains(
                "content=\"default-src 'none'; style-src 'sha256-\(hash)'; img-src data:; base-uri 'none'; form-action 'none'\""
            ))
        #expect(html.components(separatedBy: "<style").count == 2)
    }

    @Test("the page has every section, its tags are closed, and its links lead somewhere")
    func structure() throws {
        let folder = try TemporaryFolder()
        let (dataset, masks, path) = try run(in: folder)
        let run = try ReportedRun(path: path)
        var options = RunReport.Options()
        options.split = "all"
        let html = try RunReport(of: [run], dataset: dataset, masks: masks, options: options).html
        for id in ["runs", "data", "training", "results", "reasons", "gallery", "again"] {
            #expect(html.contains("<section id=\"\(id)\"") && html.contains("href=\"#\(id)\""))
        }
        for tag in [
            "section", "table", "svg", "figure", "div", "ul", "li", "bdi", "p", "details", "text", "title",
            "h2",
        ] {
            let opened = html.components(separatedBy: "<\(tag)").dropFirst().count {
                [" ", ">"].contains($0.first)
            }
            #expect(opened == html.components(separatedBy: "</\(tag)>").count - 1, "\(tag)")
        }
        #expect(try html == RunReport(of: [run], dataset: dataset, masks: masks, options: options).html)
        // Without data there is what the run itself records.
        let alone = try RunReport(of: [run]).html
        #expect(alone.contains("id=\"training\"") && !alone.contains("id=\"results\""))
    }

    @Test("a dataset without labels, groups, masks or splits has a page too")
    func little() throws {
        let folder = try TemporaryFolder()
        let (_, _, path) = try run(in: folder)
        var sample = try SampleDataset(folder, channels: 1, height: 5, width: 4)
        (sample.labels, sample.classNames, sample.splits) = (nil, nil, nil)
        sample.ids = [sample.ids[0]]
        sample.maskRows = [3]
        let dataset = try sample.dataset("little.h5")
        let html = try RunReport(of: [ReportedRun(path: path)], dataset: dataset).html
        #expect(html.contains("The samples have no labels.") && !html.contains("id=\"results\""))
    }

    @Test("ten thousand steps and a hundred classes make a page below 3 MB")
    func large() throws {
        let folder = try TemporaryFolder()
        let count = 300
        var sample = try SampleDataset(
            folder, images: (0..<count).map { [UInt8](repeating: UInt8($0 % 256), count: 64) },
            of: ImageShape(channels: 1, height: 8, width: 8))
        sample.labels = (0..<count).map { $0 % 100 }
        sample.classNames = (0..<100).map { "class \($0)" }
        let dataset = try sample.dataset()
        let path = folder.path("run")
        var options = TrainingOptions(model: BuiltInModel.mlp.description(for: dataset))
        options.stream.epochs = 1
        _ = try TrainingLoop(dataset: dataset, options: options).run(output: path)
        let steps = (0..<10_000).map { step in
            "{\"epoch\":0,\"step\":\(step),\"loss\":\(2.0 + Double(step % 97) / 50),\"cross_entropy\":1.5,\"penalty\":\(1e-5 * Double(step + 1)),"
                + "\"lambda1\":2,\"learning_rate\":0.001,\"seconds\":0.01,\"seconds_waiting\":0}"
        }
        try folder.write(Array((steps.joined(separator: "\n") + "\n").utf8), to: "run/metrics.jsonl")
        let html = try RunReport(of: [ReportedRun(path: path)], dataset: dataset).html
        #expect(html.utf8.count < 3_000_000 && html.utf8.count > 50_000)
        #expect(html.contains("in 10000 steps") && html.contains("The most frequent mistakes"))
    }
}

@Suite("charts")
struct LineChartTests {
    private func chart(_ points: [(Double, Double)], name: String = "run") -> String {
        LineChart(title: "Loss", xName: "step", lines: [ChartLine(name, points.map { (x: $0.0, y: $0.1) })])
            .html()
    }

    /// The corners of the first line.
    private func corners(_ html: String) throws -> [(x: Double, y: Double)] {
        let path = try #require(
            html.components(separatedBy: "<path class=\"line s0\" d=\"M").dropFirst().first)
        return path.prefix { $0 != "\"" }.split(separator: "L").map { pair in
            let numbers = pair.split(separator: " ").compactMap { Double($0) }
            return (numbers[0], numbers[1])
        }
    }

    @Test("points are where their values are")
    func places() throws {
        let found = try corners(chart([(0, 0), (5, 5), (10, 10)]))
        #expect(found.map(\.x) == [58, 243, 428] && found.map(\.y) == [216, 114, 12])
    }

    @Test("thousands of points are drawn by their means, with a band and a few titles")
    func many() throws {
        let html = chart((0..<10_000).map { (Double($0), $0 % 2 == 0 ? 1.0 : 3.0) })
        let found = try corners(html)
        #expect(found.count == 200)
        // Every stretch has the mean of 1 and 3.
        #expect(Set(found.map(\.y)).count == 1)
        #expect(html.contains("class=\"band f0\"") && html.components(separatedBy: "<title>").count == 41)
        #expect(html.contains("steps 0 to 249\nrun: 2 (1 to 3)"))
        #expect(html.utf8.count < 40_000)
    }

    @Test(
        "nothing, one point, equal values and what is not finite make no broken picture",
        arguments: [
            [], [(0.0, 1.0)], [(0.0, 2.0), (1.0, 2.0)], [(0.0, .nan), (1.0, .infinity)], [(0.0, 0.0)],
            [(3.0, -1e300), (4.0, 1e300)],
        ])
    func corner(points: [(Double, Double)]) {
        let html = chart(points)
        #expect(!html.contains("nan") && !html.contains("inf"))
        #expect(html.isEmpty == points.allSatisfy { !$0.1.isFinite })
    }

    @Test("a line keeps its look where another has nothing to show, and one that stands still says so")
    func looks() {
        let html = LineChart(
            title: "Penalty", xName: "step",
            lines: [
                ChartLine("plain", []), ChartLine("right", [(0, 1), (1, 0.5)]),
                ChartLine("level", [(0, 2), (1, 2)]),
            ]
        ).html()
        #expect(!html.contains("plain") && !html.contains(" s0\"") && !html.contains(" f0\""))
        #expect(html.components(separatedBy: "line s1\"").count == 3)
        #expect(html.contains("right</bdi>: from 1 to 0.5 in 2 steps</li>"))
        #expect(html.contains("level</bdi>: 2</li>"))
    }

    @Test("values over several orders of magnitude are drawn by their logarithm")
    func logarithm() throws {
        let found = try corners(chart([(0, 1), (1, 100), (2, 10_000)]))
        #expect(found.map(\.y) == [216, 114, 12])
    }

    @Test(
        "marks of an axis are round",
        arguments: [
            (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.0, 10_000.0, [0, 2000, 4000, 6000, 8000, 10_000]),
        ])
    func ticks(low: Double, high: Double, expected: [Double]) {
        let found = LineChart.ticks(low...high, count: 5)
        #expect(
            found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-9 * high })
    }
}
