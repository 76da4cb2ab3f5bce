using Tunnel.App.Services;

namespace Tunnel.Tests.Services;

public class TurnTakerTests
{
    [Fact]
    public async Task OneAtATimeAndNothingIsForgotten()
    {
        const int threads = 4, asks = 20_000;
        var taker = new Counter();
        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < asks; i++)
            {
                Interlocked.Increment(ref taker.Wanted);
                taker.Ask();
            }
        })));
        Assert.Equal((threads * asks, 0), (taker.Seen, taker.Overlaps));
    }

    [Fact]
    public void WhoAsksWithinATurnGetsAnother()
    {
        int turns = 0;
        Again? taker = null;
        taker = new Again(() =>
        {
            if (++turns < 3)
                taker!.Ask();
        });
        taker.Ask();
        Assert.Equal(3, turns);
    }

    [Fact]
    public void ADefectEndsTheTurnAndNotItsThread()
    {
        int turns = 0;
        var taker = new Again(() =>
        {
            if (++turns == 1)
                throw new InvalidOperationException("a defect");
        });
        taker.Ask();
        Assert.Equal("a defect", taker.Defect?.Message);
        taker.Ask();
        Assert.Equal(2, turns);
    }

    private sealed class Counter : TurnTaker
    {
        public int Wanted;
        private int _inside;

        public int Seen { get; private set; }

        public int Overlaps { get; private set; }

        protected override void Turn()
        {
            Overlaps += Interlocked.Increment(ref _inside) - 1;
            Seen = Volatile.Read(ref Wanted);
            Interlocked.Decrement(ref _inside);
        }

        protected override void Break(Exception defect) => throw defect;
    }

    private sealed class Again(Action turn) : TurnTaker
    {
        public Exception? Defect { get; private set; }

        protected override void Turn() => turn();

        protected override void Break(Exception defect) => Defect = defect;
    }
}
