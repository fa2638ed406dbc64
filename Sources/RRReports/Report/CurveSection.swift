internal import RRTraining

/// How losses and accuracies went from step to step and from epoch to epoch.
enum CurveSection {
    /// - Returns: HTML; nothing where no run has recorded a step.
    static func html(_ runs: [ReportedRun]) throws -> String {
        let courses = try runs.map { (name: $0.name, metrics: try $0.run.metrics()) }
        func steps(
            _ title: String, _ value: (RunMetrics.Step) -> Double?
        ) -> LineChart {
            LineChart(
                title: title, xName: "step",
                lines: courses.map { course in
                    ChartLine(
                        course.name,
                        (course.metrics?.steps ?? []).compactMap { step in
                            value(step).map { (Double(step.step), $0) }
                        })
                })
        }
        func epochs(
            _ title: String, isShare: Bool = true, _ value: @escaping (RunMetrics.Validation) -> Double?
        ) -> LineChart {
            var chart = LineChart(
                title: title, xName: "epoch",
                lines: courses.map { course in
                    ChartLine(
                        course.name,
                        (course.metrics?.epochs ?? []).compactMap { epoch in
                            epoch.validation.flatMap(value).map { (Double(epoch.epoch + 1), $0) }
                        })
                })
            if isShare {
                chart.value = { Figure.percent($0) }
                chart.maySpanOrders = false
            }
            return chart
        }
        let charts = [
            steps("Cross-entropy", \.crossEntropy),
            steps("Penalty R, before λ1", \.penalty),
            steps("λ1·R / CE: what the penalty weighs") { step in
                guard let penalty = step.penalty, step.crossEntropy > 0, step.lambda1 > 0 else { return nil }
                return step.lambda1 * penalty / step.crossEntropy
            },
            steps("Loss", \.loss),
            epochs("Validation accuracy", \.accuracy),
            epochs("Validation accuracy of the worst group", \.worstGroupAccuracy),
            epochs("Validation accuracy of the worst class", \.worstClassAccuracy),
            epochs("Validation cross-entropy", isShare: false, \.crossEntropy),
            // Where it stands still, the table of options says it.
            steps("Learning rate", \.learningRate).unlessConstant,
        ].compactMap(\.self).map { $0.html() }.filter { !$0.isEmpty }
        guard !charts.isEmpty else { return "" }
        return "<div class=\"charts\">\(charts.joined())</div>\n"
            + PageParts.paragraph(
                "Lines are means of stretches of steps, bands go from the least to the largest of a stretch; resting on a "
                    + "chart shows the values. Steps count from 0, epochs from 1.")
    }
}
