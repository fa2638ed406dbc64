// swift-tools-version: 6.3
import PackageDescription

// Outside the main package, so that no one who uses rrdata builds it.
let package = Package(
    name: "rrdata-benchmarks",
    dependencies: [.package(name: "rrdata", path: "..")],
    targets: [
        .executableTarget(
            name: "EngineBenchmark",
            dependencies: [
                .product(name: "RRData", package: "rrdata"), .product(name: "RRTraining", package: "rrdata"),
            ])
    ]
)
